import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CollectedLines } from "../support/collected-lines.ts";
import { until } from "../support/waiting.ts";
import { JournalSource } from "../../src/source/journal/journal-source.ts";
import type { SourcePosition } from "../../src/source/source.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { supervise } from "../../src/source/supervise.ts";

/** Writes journal files from entries in the export format (Debian: systemd-journal-remote), without a running systemd. */
const writer = "/lib/systemd/systemd-journal-remote";
const missing = [
  ...(spawnSync("journalctl", ["--version"]).status === 0 ? [] : ["journalctl is not installed"]),
  ...(existsSync(writer) ? [] : ["systemd-journal-remote is not installed"]),
].join(", ");

let dir = "";
const stops: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stoplog-journal-"));
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  rmSync(dir, { recursive: true });
});

/** An open journal file; `log` appends an entry. */
function journal() {
  const child = spawn(writer, ["-o", join(dir, "test.journal"), "-"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  let time = Date.now() * 1000;
  let n = 0;
  const field = (name: string, value: Buffer): Buffer => {
    const size = Buffer.alloc(8);
    size.writeUInt32LE(value.length);
    return Buffer.concat([Buffer.from(`${name}\n`), size, value, Buffer.from("\n")]);
  };
  return {
    log(message: string | Buffer, unit = "ssh.service", identifier = "sshd", more: readonly string[] = []) {
      const head = [
        `__REALTIME_TIMESTAMP=${time++}`,
        `__MONOTONIC_TIMESTAMP=${++n}`,
        "_BOOT_ID=0123456789abcdef0123456789abcdef",
        "_HOSTNAME=box",
        "_PID=42",
        `_SYSTEMD_UNIT=${unit}`,
        `SYSLOG_IDENTIFIER=${identifier}`,
        ...more,
      ].map((line) => Buffer.from(`${line}\n`));
      child.stdin.write(
        Buffer.concat([...head, field("MESSAGE", Buffer.from(message as string)), Buffer.from("\n")]),
      );
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

function start(position: SourcePosition | null = null) {
  const source = new JournalSource(
    "journal",
    { type: "journal", directory: dir, units: ["ssh.service"] },
    position,
  );
  const got = new CollectedLines();
  const log: string[] = [];
  const abort = new AbortController();
  const { done } = supervise(source, got.sink, abort.signal, { log: (sentence) => log.push(sentence) });
  const stop = async () => {
    abort.abort();
    await done;
    return source.position();
  };
  stops.push(stop);
  return { source, got, log, stop };
}

const textOf = (lines: readonly string[]): string[] =>
  lines.map((line) => line.replace(/^\S+ box sshd\[42\]: /, ""));

/** The journalctl processes that read our folder. */
function journalctls(): number[] {
  const { stdout } = spawnSync("pgrep", ["-f", `journalctl.*--directory=${dir}`], { encoding: "utf8" });
  return stdout.split("\n").filter(Boolean).map(Number);
}

/** A source that reads what is logged from now on: journalctl does not say when it is ready, so this logs until an entry arrives. */
async function startedOn(log: ReturnType<typeof journal>): Promise<ReturnType<typeof start>> {
  log.log("old");
  await until("the journal exists", () => existsSync(join(dir, "test.journal")));
  const one = start();
  await until("an entry arrives", () => {
    log.log("ready");
    return one.got.lines.length > 0;
  });
  return one;
}

describe.skipIf(missing !== "")(`the real journalctl${missing && ` (skipped: ${missing})`}`, () => {
  it("delivers new entries of the configured units, whatever bytes they contain", async () => {
    const log = journal();
    stops.push(() => log.close());
    const one = await startedOn(log);
    const before = one.got.lines.length;
    log.log("other unit", "nginx.service");
    log.log(Buffer.from([0x66, 0xff, 0x0a, 0x67, 0x00, 0x68]));
    log.log("x".repeat(LIMITS.lineBytes.value + 1000));
    log.log("last");
    await until(
      "the last entry is there",
      () => one.got.lines.at(-1)?.endsWith("last") === true,
      () => one.got.lines.at(-1) ?? "",
    );
    const lines = one.got.lines.filter((line) => !line.endsWith("ready"));
    expect(one.got.lines.slice(before).length).toBeGreaterThanOrEqual(3);
    expect(textOf(lines).map((line) => line.slice(0, 60))).toEqual(["f\xff g h", "x".repeat(60), "last"]);
    expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z box sshd\[42\]: /);
    expect(one.source.stats.cut).toBe(1);
    expect(lines[1]!.length).toBe(LIMITS.lineBytes.value);
  });

  it("reads the pieces of a service's long line as one line, over a restart too", async () => {
    const log = journal();
    stops.push(() => log.close());
    const piece = (text: string, ...more: string[]): void =>
      log.log(text, "ssh.service", "sshd", ["_TRANSPORT=stdout", "_STREAM_ID=a1b2", ...more]);
    const one = await startedOn(log);
    piece("x".repeat(49_152), "_LINE_BREAK=line-max");
    piece("root from 198.51.100.77", "_LINE_BREAK=nul");
    piece(" from 192.0.2.1");
    piece("first", "_LINE_BREAK=line-max");
    log.log("last");
    await until("the last entry is there", () => one.got.lines.at(-1)?.endsWith("last") === true);
    const lines = textOf(one.got.lines.filter((line) => !line.endsWith("ready")));
    expect(lines).toEqual([`${"x".repeat(49_152)}root from 198.51.100.77  from 192.0.2.1`, "last"]);
    const position = await one.stop();
    piece("root from 198.51.100.77");
    piece("whole");
    const two = start(position);
    await until("the whole line is there", () => two.got.lines.length > 0);
    expect(textOf(two.got.lines)).toEqual(["whole"]);
    expect(two.source.stats.shedBytes).toBe(23);
  });

  it("continues after the last entry when Stoplog restarts or journalctl is killed", async () => {
    const log = journal();
    stops.push(() => log.close());
    log.log("old");
    await until("the journal exists", () => existsSync(join(dir, "test.journal")));
    const one = start();
    await until("an entry arrives", () => {
      log.log("0");
      return one.got.lines.length > 0;
    });
    const position = await one.stop();
    log.log("1");
    log.log("2");
    const two = start(position);
    await until("the lines are there", () => textOf(two.got.lines).includes("2"));
    const at = two.got.lines.length;
    const pids = journalctls();
    expect(pids.length).toBe(1);
    for (const pid of pids) process.kill(pid, "SIGKILL");
    log.log("3");
    log.log("4");
    await until(
      "the last entry is there",
      () => textOf(two.got.lines).includes("4"),
      () => two.log.join(),
    );
    expect(textOf(two.got.lines).filter((line) => line !== "0")).toEqual(["1", "2", "3", "4"]);
    expect(at).toBeGreaterThanOrEqual(2);
    expect(two.log).toEqual([
      "Source journal failed, retrying: Cannot read the journal: journalctl was killed by SIGKILL",
      "Source journal works again",
    ]);
    await two.stop();
    expect(journalctls()).toEqual([]);
  });
});
