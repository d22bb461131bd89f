import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { formatPrefix } from "../../../core/prefix.ts";
import { FOREVER } from "../../../core/time.ts";
import { readDatabase, readLines } from "./read-database.ts";

const hasPython = spawnSync("python3", ["-c", "import sqlite3"]).status === 0;

/** The tables as fail2ban describes them in its documentation of the database, with what is read of them. */
const TABLES =
  "CREATE TABLE bips(ip TEXT, jail TEXT, timeofban INTEGER, bantime INTEGER, bancount INTEGER, data JSON, PRIMARY KEY(ip, jail));";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-bans-"));
  path = join(folder, "fail2ban.sqlite3");
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(sql: string): void {
  const script =
    "import sqlite3,sys; d=sqlite3.connect(sys.argv[1]); d.executescript(sys.argv[2]); d.close()";
  const { status, stderr } = spawnSync("python3", ["-c", script, path, sql], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}

/** A process that has executed the statements and keeps the database open, until the function that it returns is called. */
async function hold(sql: string): Promise<() => Promise<void>> {
  const script =
    "import sqlite3,sys; d=sqlite3.connect(sys.argv[1], isolation_level=None)\n" +
    "for s in sys.argv[2].split(';'): d.execute(s)\n" +
    "print('ready', flush=True); sys.stdin.read(1)";
  const child = spawn("python3", ["-c", script, path, sql], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
}

async function read(): Promise<readonly string[]> {
  const { bans } = await readDatabase(path);
  return bans.map(
    ({ prefix, jail, since, until, times }) =>
      `${formatPrefix(prefix)} ${jail} ${since / 1000} ${until === null ? "?" : until === FOREVER ? "permanent" : until / 1000} ${times}`,
  );
}

const insert = (ip: string, time = 100, bantime = 60, count = 1): string =>
  `INSERT INTO bips VALUES('${ip}', 'sshd', ${time}, ${bantime}, ${count}, '{}');`;

describe.skipIf(!hasPython)(
  hasPython ? "readDatabase()" : "readDatabase() (skipped: needs python3 with sqlite3)",
  () => {
    it("reads addresses and networks with their ends and counts, and says what it leaves out", async () => {
      write(
        TABLES +
          insert("198.51.100.7", 100, 600, 3) +
          insert("2001:db8::/64", 101, -1) +
          insert("198.51.100.8", 102, -2) +
          insert("198.51.100.9", 102, 1e12) +
          insert("a user", 103),
      );
      expect(await read()).toEqual([
        "198.51.100.7 sshd 100 700 3",
        "2001:db8::/64 sshd 101 permanent 1",
        "198.51.100.8 sshd 102 ? 1",
        "198.51.100.9 sshd 102 permanent 1",
      ]);
      expect((await readDatabase(path)).sentences).toEqual([`1 ban of ${path} left out: not of an address`]);
    });

    it("reads the databases of older versions, which have no lengths", async () => {
      write("CREATE TABLE bans(jail TEXT, ip TEXT, timeofban INTEGER, data JSON);");
      for (const time of [90, 100]) write(`INSERT INTO bans VALUES('sshd', '198.51.100.7', ${time}, '{}');`);
      expect(await read()).toEqual(["198.51.100.7 sshd 100 ? 2"]);
    });

    it("reads what is in the write-ahead log of a running writer", async () => {
      write(`PRAGMA journal_mode = WAL; ${TABLES}`);
      const release = await hold(insert("198.51.100.7").replace(";", ""));
      expect(existsSync(`${path}-wal`)).toBe(true);
      expect(await read()).toEqual(["198.51.100.7 sshd 100 160 1"]);
      await release();
      expect(await read()).toEqual(["198.51.100.7 sshd 100 160 1"]);
    });

    it("undoes the half-written change of a writer that was killed, on a copy", async () => {
      write(TABLES + insert("198.51.100.7"));
      // With a tiny cache, the change is in the file before its commit.
      const many = Array.from({ length: 400 }, (_, i) => insert(`203.0.113.${i}${"x".repeat(40)}`)).join("");
      const release = await hold(
        `PRAGMA cache_size = 2;PRAGMA cache_spill = 1;BEGIN;DELETE FROM bips;${many}`.replace(/;$/, ""),
      );
      for (const end of ["", "-journal"]) copyFileSync(path + end, `${folder}/killed.sqlite3${end}`);
      await release();
      path = join(folder, "killed.sqlite3");
      const before = readFileSync(path);
      expect(await read()).toEqual(["198.51.100.7 sshd 100 160 1"]);
      expect(readFileSync(path).equals(before)).toBe(true);
    });

    it("says in one sentence that the database is locked, after five seconds", async () => {
      write(TABLES);
      const release = await hold("BEGIN EXCLUSIVE");
      await expect(readDatabase(path)).rejects.toThrow(`Cannot read ${path}: database is locked`);
      await release();
    });

    it.each<[string, string, RegExp]>([
      ["is damaged", "x".repeat(5000), /file is not a database$/],
      ["is empty", "", /not a database of fail2ban: it has no table of bans$/],
    ])("says in one sentence that it %s", async (_, text, expected) => {
      writeFileSync(path, text);
      await expect(readDatabase(path)).rejects.toThrow(expected);
      await expect(readDatabase(path)).rejects.toThrow(/^Cannot read [^\n]+$/);
    });

    it("says that it is cut short", async () => {
      write(TABLES + Array.from({ length: 500 }, (_, i) => insert(`198.51.${i >> 8}.${i & 255}`)).join(""));
      writeFileSync(path, readFileSync(path).subarray(0, 9000));
      await expect(readDatabase(path)).rejects.toThrow(/^Cannot read [^\n]+malformed$/);
    });
  },
);

describe("readDatabase() without a file, and its answers", () => {
  it("says that there is none", async () => {
    await expect(readDatabase(path)).rejects.toThrow(`Cannot read ${path}: no such file or directory`);
  });

  it("refuses an answer without its last line, and leaves out what is not a ban", () => {
    expect(() => readLines('["sshd","198.51.100.7",1,2,1]\n', "x")).toThrow(
      "Cannot read x: the answer is not complete",
    );
    const odd = [
      "{}",
      "[",
      '["sshd",7,1,2,1]',
      '["sshd","198.51.100.7","1",2,1]',
      '["sshd","198.51.100.7",1e300,2,1]',
    ];
    expect(readLines(`${odd.join("\n")}\nend\n`, "x")).toEqual({
      bans: [],
      sentences: ["5 bans of x left out: not of an address"],
    });
  });
});
