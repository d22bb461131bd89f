import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CollectedLines } from "../../../test/support/collected-lines.ts";
import { until } from "../../../test/support/waiting.ts";
import type { SourcePosition } from "../source.ts";
import { FileSource } from "./file-source.ts";
import type { FileOptions } from "./kind.ts";

let dir = "";
let log = "";
const running: { stop(): Promise<unknown> }[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stoplog-file-"));
  log = join(dir, "auth.log");
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  rmSync(dir, { recursive: true });
});

function follow(options: Partial<FileOptions> = {}, position: SourcePosition | null = null) {
  const source = new FileSource("auth", { type: "file", path: log, ...options }, position);
  const got = new CollectedLines();
  let abort = new AbortController();
  let done = source.run(got.sink, abort.signal);
  const one = {
    source,
    got,
    async stop() {
      abort.abort();
      await done;
      return source.position() as SourcePosition;
    },
    again() {
      abort = new AbortController();
      done = source.run(got.sink, abort.signal);
    },
  };
  running.push(one);
  return one;
}

const received = (n: number, one: ReturnType<typeof follow>) => one.got.until(n);

/** Waits until the source is idle and its alarm is set. */
async function idle() {
  await new Promise((resolve) => setTimeout(resolve, 120));
}

describe("a FileSource", () => {
  it("starts at the end, or at the beginning when configured so", async () => {
    writeFileSync(log, "old\n");
    const end = follow();
    const beginning = follow({ start: "beginning" });
    await received(1, beginning);
    appendFileSync(log, "new\n");
    expect(await received(2, beginning)).toEqual(["old", "new"]);
    expect(beginning.got.backlog).toEqual([true, false]);
    expect(await received(1, end)).toEqual(["new"]);
    expect(end.source.stats.state).toBe(`follows ${log}`);
  });

  it("reads a line that is written after a long silence, and many in a row", async () => {
    writeFileSync(log, "");
    const one = follow();
    for (let i = 1; i <= 3; i++) {
      await idle();
      appendFileSync(log, `line ${i}\n`);
      await received(i, one);
    }
    for (let i = 4; i <= 500; i++) appendFileSync(log, `line ${i}\n`);
    expect(await received(500, one)).toEqual(Array.from({ length: 500 }, (_, i) => `line ${i + 1}`));
  });

  it("waits for the rest of a half-written line", async () => {
    writeFileSync(log, "");
    const one = follow();
    appendFileSync(log, "whole\nha");
    await received(1, one);
    appendFileSync(log, "lf");
    await idle();
    expect(one.got.lines).toEqual(["whole"]);
    appendFileSync(log, " a line\n");
    expect(await received(2, one)).toEqual(["whole", "half a line"]);
  });

  it("delivers a line whole that was half written at the start", async () => {
    writeFileSync(log, "old\nha");
    const one = follow();
    await idle();
    appendFileSync(log, "lf\n");
    expect(await received(1, one)).toEqual(["half"]);
  });

  it("truncates a line that is too long and counts the rest, even one from before the start", async () => {
    writeFileSync(log, "x".repeat(100));
    const one = follow({ maxLine: 20 });
    await idle();
    appendFileSync(log, `tail of it\n${"y".repeat(50)}\nshort\n`);
    expect(await received(2, one)).toEqual(["y".repeat(20), "short"]);
    expect(one.source.stats).toMatchObject({ cut: 1, shedBytes: 40 });
  });

  it("reads lines of any length up to the bound, also longer than what it usually reads at once", async () => {
    const lengths = [10, 16_383, 16_384, 20_000, 100, 131_000, 131_071, 131_072, 5, 140_000, 300_000, 7];
    writeFileSync(log, lengths.map((length, i) => `${"abcdefghijkl"[i]}`.repeat(length)).join("\n"));
    const one = follow({ start: "beginning" });
    await received(lengths.length - 1, one);
    appendFileSync(log, "\n");
    expect((await received(lengths.length, one)).map((line) => line.length)).toEqual(
      lengths.map((length) => Math.min(length, 131_072)),
    );
    expect(one.source.stats).toMatchObject({ cut: 2, shedBytes: 140_000 + 300_000 - 2 * 131_072 });
  });

  it("reads a renamed file to its end, then the new one from its start", async () => {
    writeFileSync(log, "");
    const one = follow();
    await idle();
    appendFileSync(log, "1\n");
    renameSync(log, `${log}.1`);
    appendFileSync(`${log}.1`, "2\n");
    writeFileSync(log, "3\n");
    await received(3, one);
    // The writer has not reopened its log yet: it still writes to the old file.
    await idle();
    appendFileSync(`${log}.1`, "4\n");
    await received(4, one);
    appendFileSync(log, "5\n");
    expect(await received(5, one)).toEqual(["1", "2", "3", "4", "5"]);
    expect(one.got.backlog).toEqual([false, false, false, false, false]);
  });

  it("loses and repeats no line over a hundred rotations in a row", async () => {
    writeFileSync(log, "");
    const one = follow();
    let n = 0;
    for (let round = 0; round < 100; round++) {
      for (let i = 0; i < 20; i++) appendFileSync(log, `${n++}\n`);
      renameSync(log, `${log}.${round}`);
      appendFileSync(`${log}.${round}`, `${n++}\n`);
      writeFileSync(log, "");
      await received(n, one);
    }
    expect(one.got.lines.map(Number)).toEqual(Array.from({ length: n }, (_, i) => i));
  });

  it("starts again when the file is truncated, even if it has outgrown its old size since", async () => {
    writeFileSync(log, "");
    const one = follow();
    appendFileSync(log, "one\ntwo\n");
    await received(2, one);
    truncateSync(log);
    appendFileSync(log, "3\n");
    await received(3, one);
    writeFileSync(log, "a longer text than before\nfive\n");
    expect(await received(5, one)).toEqual(["one", "two", "3", "a longer text than before", "five"]);
  });

  it("detects a rewritten file of the same size", async () => {
    writeFileSync(log, "");
    const one = follow();
    appendFileSync(log, "aaa\n");
    await received(1, one);
    await idle();
    writeFileSync(log, "bbb\n");
    expect(await received(2, one)).toEqual(["aaa", "bbb"]);
  });

  it("reads every file when there are several rotations between two scans", async () => {
    writeFileSync(`${log}.1`, "before our time\n");
    writeFileSync(log, "");
    const one = follow();
    appendFileSync(log, "0\n");
    await received(1, one);
    writeFileSync(`${log}-errors`, "of another log\n");
    for (let i = 1; i <= 3; i++) {
      for (const n of [3, 2, 1]) if (existsSync(`${log}.${n}`)) renameSync(`${log}.${n}`, `${log}.${n + 1}`);
      renameSync(log, `${log}.1`);
      writeFileSync(log, `${i}\n`);
    }
    expect((await received(4, one)).toSorted()).toEqual(["0", "1", "2", "3"]);
    await idle();
    appendFileSync(log, "last\n");
    expect((await received(5, one)).at(-1)).toBe("last");
    expect(one.got.lines.length).toBe(5);
  });

  it("does not read a copy that copytruncate makes beside the file", async () => {
    const head = `${"head ".repeat(60)}\n`;
    writeFileSync(log, "");
    const one = follow({ path: `${log}*` });
    appendFileSync(log, head);
    await received(1, one);
    copyFileSync(log, `${log}.1`);
    truncateSync(log);
    appendFileSync(log, "after\n");
    await received(2, one);
    await idle();
    appendFileSync(log, "last\n");
    expect(await received(3, one)).toEqual([head.slice(0, -1), "after", "last"]);
  });

  describe("truncated after a copy was made", () => {
    const head = `${"head ".repeat(60)}\n`;
    /** As logrotate's copytruncate does, before the source can react. */
    const copyAndCut = (name: string) => {
      appendFileSync(log, "unread\n");
      copyFileSync(log, join(dir, name));
      truncateSync(log);
      appendFileSync(log, "after\n");
    };

    it.each(["auth.log", "auth.log*"])(
      "is read to its end from the copy, when %s is followed",
      async (pattern) => {
        writeFileSync(log, "");
        const one = follow({ path: join(dir, pattern) });
        appendFileSync(log, head);
        await received(1, one);
        copyAndCut("auth.log.1");
        await received(3, one);
        await idle();
        appendFileSync(log, "last\n");
        expect((await received(4, one)).toSorted()).toEqual(["after", head.slice(0, -1), "last", "unread"]);
        expect(one.source.stats).toMatchObject({ shedBytes: 0, waitingBytes: 0 });
        const { files } = await one.stop();
        const { ino } = statSync(`${log}.1`);
        expect(files).toContainEqual(
          expect.objectContaining({ path: log, inode: ino, offset: head.length + 7 }),
        );
      },
    );

    it("is read to its end from the copy after a restart, too", async () => {
      writeFileSync(log, "");
      const first = follow();
      appendFileSync(log, head);
      await received(1, first);
      const position = await first.stop();
      copyAndCut("auth.log-20261120");
      const one = follow({}, JSON.parse(JSON.stringify(position)) as SourcePosition);
      expect((await received(2, one)).toSorted()).toEqual(["after", "unread"]);
      await idle();
      expect(one.got.lines.length).toBe(2);
      expect(one.source.stats.shedBytes).toBe(0);
    });

    it.each([
      ["is of another log", "other.log", 0],
      ["is an hour old", "auth.log.1", 3600],
    ])("but not in one that %s", async (_, name, age) => {
      writeFileSync(log, "");
      const one = follow();
      appendFileSync(log, head);
      await received(1, one);
      await idle(); // the alarm is set: one scan sees all the changes below
      copyAndCut(name);
      utimesSync(join(dir, name), Date.now() / 1000 - age, Date.now() / 1000 - age);
      expect(await received(2, one)).toEqual([head.slice(0, -1), "after"]);
      await idle();
      expect(one.got.lines.length).toBe(2);
    });
  });

  it("waits for a missing file and says so, even if its folder is missing", async () => {
    log = join(dir, "deeper", "still", "auth.log");
    const one = follow();
    expect(one.source.stats.state).toBe(`waits for ${log}`);
    await idle();
    mkdirSync(join(dir, "deeper", "still"), { recursive: true });
    writeFileSync(log, "first\n");
    expect(await received(1, one)).toEqual(["first"]);
    expect(one.source.stats.state).toBe(`follows ${log}`);
  });

  it("waits again when the file is deleted", async () => {
    writeFileSync(log, "");
    const one = follow();
    await idle();
    unlinkSync(log);
    await until("the source waits for its file", () => one.source.stats.state === `waits for ${log}`);
    writeFileSync(log, "back\n");
    expect(await received(1, one)).toEqual(["back"]);
  });

  it("follows the files that a pattern matches, and files that appear later", async () => {
    writeFileSync(join(dir, "a.log"), "old\n");
    const one = follow({ path: [join(dir, "*.log"), join(dir, "sites/*/error.log")] });
    await idle();
    writeFileSync(join(dir, "b.log"), "b\n");
    await received(1, one);
    writeFileSync(join(dir, "c.txt"), "c\n");
    mkdirSync(join(dir, "sites/one"), { recursive: true });
    writeFileSync(join(dir, "sites/one/error.log"), "site\n");
    await received(2, one);
    appendFileSync(join(dir, "a.log"), "a\n");
    expect(await received(3, one)).toEqual(["b", "site", "a"]);
    expect(one.source.stats.state).toBe("follows 3 files");
  });

  it("follows a link, and its new target after a change", async () => {
    writeFileSync(join(dir, "monday"), "");
    symlinkSync("monday", log);
    const one = follow();
    await idle();
    appendFileSync(join(dir, "monday"), "1\n");
    await received(1, one);
    await idle();
    writeFileSync(join(dir, "tuesday"), "2\n");
    symlinkSync("tuesday", join(dir, "new"));
    renameSync(join(dir, "new"), log);
    await received(2, one);
    appendFileSync(join(dir, "tuesday"), "3\n");
    expect(await received(3, one)).toEqual(["1", "2", "3"]);
  });

  it("rejects a path that is not a file, and skips files beyond the limit [limit: files]", async () => {
    mkdirSync(join(dir, "a"));
    execFileSync("mkfifo", [join(dir, "b")]);
    const wild = follow({ path: join(dir, "?") });
    expect(wild.source.stats.state).toBe(`cannot follow ${dir}/b: it is a FIFO`);
    await wild.stop();
    const one = follow({ path: [join(dir, "a"), join(dir, "b")] });
    expect(one.source.stats.state).toBe(
      `cannot follow ${dir}/a: it is a directory, cannot follow ${dir}/b: it is a FIFO`,
    );
    await one.stop();
    for (const name of ["x", "y", "z"]) writeFileSync(join(dir, `${name}.log`), "");
    const two = follow({ path: join(dir, "*.log"), maxFiles: 2 });
    expect(two.source.stats.state).toBe("follows 2 files, cannot follow 1 of 3 files: the limit is 2");
    expect(() => follow({ path: "auth.log" })).toThrow("Cannot follow auth.log: the path must begin with /");
  });

  it("continues where it stopped when it runs again", async () => {
    writeFileSync(log, "0\n");
    const one = follow();
    appendFileSync(log, "1\nhal");
    await received(1, one);
    await one.stop();
    appendFileSync(log, "f\n3\n");
    one.again();
    expect(await received(3, one)).toEqual(["1", "half", "3"]);
  });
});

describe("the saved position of a FileSource", () => {
  async function readOne(): Promise<SourcePosition> {
    writeFileSync(log, "1\n");
    const one = follow({ start: "beginning" });
    await received(1, one);
    return JSON.parse(JSON.stringify(await one.stop())) as SourcePosition;
  }

  it("is where reading continues after a restart, and lines written meanwhile are backlog", async () => {
    const position = await readOne();
    appendFileSync(log, "2\n");
    const one = follow({}, position);
    await received(1, one);
    appendFileSync(log, "3\n");
    expect(await received(2, one)).toEqual(["2", "3"]);
    expect(one.got.backlog).toEqual([true, false]);
  });

  it("is found in the rotated file, whose rest is read before the new file", async () => {
    const position = await readOne();
    appendFileSync(log, "2\n");
    renameSync(log, `${log}.1`);
    writeFileSync(log, "3\n");
    expect(await received(2, follow({}, position))).toEqual(["2", "3"]);
  });

  it("is ignored for a file that was truncated, or rewritten under the same inode", async () => {
    const position = await readOne();
    writeFileSync(log, "");
    const cut = follow({}, position);
    appendFileSync(log, "2\n");
    expect(await received(1, cut)).toEqual(["2"]);
    await cut.stop();
    writeFileSync(log, "another\nfile\n");
    expect(await received(2, follow({}, position))).toEqual(["another", "file"]);
  });

  it("means that a file created since is read from its start, and an older one from its end", async () => {
    writeFileSync(join(dir, "older.log"), "old\n");
    await idle();
    const position = await readOne();
    writeFileSync(join(dir, "newer.log"), "new\n");
    const one = follow({ path: join(dir, "*.log") }, position);
    expect(await received(1, one)).toEqual(["new"]);
  });

  it("is ignored when it is invalid", async () => {
    writeFileSync(log, "1\n");
    const one = follow(
      { start: "beginning" },
      { savedAt: 1, files: [{ path: 3 }, null, { path: log, inode: -1 }] },
    );
    expect(await received(1, one)).toEqual(["1"]);
  });

  it("holds no more files than are followed", async () => {
    const one = follow({ path: join(dir, "*.log"), maxFiles: 3 });
    for (let i = 0; i < 10; i++) {
      writeFileSync(join(dir, `${i}.log`), `${i}\n`);
      await received(i + 1, one);
      unlinkSync(join(dir, `${i}.log`));
      await until("the source follows nothing", () => !one.source.stats.state.startsWith("follows"));
    }
    const { files } = one.source.position() as { files: unknown[] };
    expect(files.length).toBeLessThanOrEqual(6);
  });
});
