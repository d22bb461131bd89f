import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Book } from "../../src/book/book.ts";
import { systemClock } from "../../src/core/clock.ts";
import { address, V4_MARK } from "../../src/core/address.ts";
import { hostPrefix } from "../../src/core/prefix.ts";
import { replaceFile } from "../../src/core/replace-file.ts";
import { BanJournal } from "../../src/store/ban-journal.ts";
import { readBans } from "../../src/store/read-bans.ts";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const KIBIBYTES = 128;

let directory: string;
beforeEach(() => {
  directory = mountSmall();
});
afterEach(() => unmount(directory));

const fault = mountFault();

describe.skipIf(fault !== null)(titled("a full disk", fault), () => {
  it("loses no ban once there is space again", async () => {
    const book = new Book({ capacity: 100_000, changes: 65_536 });
    const journal = new BanJournal(directory, {
      book,
      clock: systemClock,
      allowed: () => [],
      warn: () => undefined,
    });
    await journal.open();
    banUpTo(book, 100);
    await journal.flush();
    fill(120);
    banUpTo(book, 4000);
    await journal.flush();
    expect(journal.failed).toBe(1);
    // A part of the first line was written, and the older lines are still there.
    expect(statSync(join(directory, "bans.jsonl")).size).toBe(8192);
    expect((await restored()).size).toBe(100);
    rmSync(join(directory, "other"));
    banUpTo(book, 4100);
    await journal.flush();
    expect(journal.failed).toBe(1);
    expect((await restored()).size).toBe(4100);
    await journal.close(0);
  });

  it("keeps the old file when the new one cannot be written in full", async () => {
    const path = join(directory, "file");
    writeFileSync(path, "before");
    fill(100);
    await expect(replaceFile(path, ["x".repeat(40 * 1024)])).rejects.toThrow("ENOSPC");
    expect(statSync(path).size).toBe(6);
  });
});

const daemonFault = fault ?? namespaceFault() ?? (hasProgram("nft") ? null : "needs nft of nftables");

describe.skipIf(daemonFault !== null)(titled("a daemon with a full disk", daemonFault), () => {
  const namespace = useNamespace("full");

  it("says which orders are not on disk; after a SIGKILL the bans of the firewall are adopted", async () => {
    const home = new Home();
    home.configure(`state: ${directory}/state\nsources: {}\n`);
    let daemon = await RunningDaemon.start(home, namespace);
    try {
      expect(daemon.command("ban", "198.51.100.1").output).not.toContain("not on disk");
      fill(KIBIBYTES - 24);
      const many = Array.from({ length: 2000 }, (_, n) => `10.1.${n >> 8}.${n & 255}`);
      const { output } = daemon.command("ban", ...many, "--for", "1h");
      expect(output).toContain("not on disk: Cannot save bans in");
      expect(daemon.status()).toMatchObject({ state: "degraded" });
      await daemon.end("SIGKILL");
      daemon = await RunningDaemon.start(home, namespace);
      expect(daemon.bans()).toHaveLength(2001);
      expect(daemon.log).toContain("Adopted");
      expect(daemon.ruleset().match(/expires/g)).toHaveLength(2001);
      rmSync(join(directory, "other"));
      await until("the bans are saved", () => daemon.status().troubles.length === 0);
    } finally {
      await daemon.end();
      home.remove();
    }
  });
});

/** The first hundred at one time, the others at another. A line of the journal holds 500 bans. */
function banUpTo(book: Book, count: number): void {
  for (let n = book.size; n < count; n++) {
    const prefix = hostPrefix(address(0, 0, V4_MARK, 0x64400000 + n));
    const since = n < 100 ? 1 : 2;
    book.ban({
      prefix,
      target: "default",
      jail: "syn",
      reason: "1 failure",
      since,
      until: 1e15,
      origin: "local",
    });
  }
}

async function restored(): Promise<Book> {
  const book = new Book({ capacity: 100_000, changes: 10 });
  expect(await readBans(directory, book, { now: 0, ended: false })).toMatchObject({
    isComplete: false,
    damage: "1 line is damaged",
  });
  return book;
}

function fill(kibibytes: number): void {
  writeFileSync(join(directory, "other"), Buffer.alloc(kibibytes * 1024));
}

/** A tmpfs of the test's own. */
function mountSmall(): string {
  const at = mkdtempSync(join(tmpdir(), "stoplog-full-"));
  spawnSync("mount", ["-t", "tmpfs", "-o", `size=${KIBIBYTES}k`, "stoplog-test", at]);
  return at;
}

function unmount(at: string): void {
  spawnSync("umount", [at]);
  rmSync(at, { recursive: true, force: true });
}

function mountFault(): string | null {
  const at = mountSmall();
  try {
    return spawnSync("mountpoint", ["-q", at]).status === 0 ? null : "cannot mount a tmpfs";
  } finally {
    unmount(at);
  }
}
