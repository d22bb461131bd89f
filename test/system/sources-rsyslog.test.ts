import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CollectedLines } from "../support/collected-lines.ts";
import { until } from "../support/waiting.ts";
import { FileSource } from "../../src/source/file/file-source.ts";
import type { FileOptions } from "../../src/source/file/kind.ts";
import type { SyslogOptions } from "../../src/source/syslog/kind.ts";
import { SyslogSource } from "../../src/source/syslog/syslog-source.ts";
import { enterNamespace } from "../support/hosts.ts";
import { namespaceFault } from "../support/namespace.ts";

const missing = [
  ...(spawnSync("rsyslogd", ["-v"]).status === 0 ? [] : ["rsyslogd is not installed"]),
  ...[namespaceFault() ?? []].flat(),
].join(", ");

let dir = "";
let rsyslog: ChildProcess | null = null;
const stops: (() => Promise<void>)[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stoplog-rsyslog-"));
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await stopRsyslog();
  rmSync(dir, { recursive: true });
});

/** A rsyslogd of our own: takes messages on `in`, writes them to `auth.log` and to the socket `out`. */
async function startRsyslog(format: "traditional" | "rfc5424" = "traditional"): Promise<void> {
  const template = format === "rfc5424" ? ";RSYSLOG_SyslogProtocol23Format" : "";
  writeFileSync(
    join(dir, "rsyslog.conf"),
    `module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="${dir}/in" RateLimit.Interval="0" UseSysTimeStamp="off")
$ModLoad omuxsock
$OMUxSockSocket ${dir}/out
$ActionQueueType LinkedList
$ActionQueueTimeoutEnqueue 60000
$ActionResumeRetryCount -1
$ActionResumeInterval 1
*.* :omuxsock:${template}
*.* action(type="omfile" file="${dir}/auth.log" template="RSYSLOG_TraditionalFileFormat" asyncWriting="off" ioBufferSize="4k" flushOnTXEnd="on")
`,
  );
  rsyslog = spawn("rsyslogd", ["-n", "-f", join(dir, "rsyslog.conf"), "-i", join(dir, "pid")], {
    stdio: "ignore",
  });
  await until("rsyslog listens", () => existsSync(join(dir, "in")) && existsSync(join(dir, "pid")));
}

async function stopRsyslog(): Promise<void> {
  const child = rsyslog;
  rsyslog = null;
  if (child === null || child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const killer = setTimeout(() => child.kill("SIGKILL"), 3000);
  await ended;
  clearTimeout(killer);
  if (existsSync(join(dir, "in"))) unlinkSync(join(dir, "in"));
}

function start(options: FileOptions | SyslogOptions) {
  const source =
    options.type === "file" ? new FileSource("syslog", options) : new SyslogSource("syslog", options);
  const got = new CollectedLines();
  const abort = new AbortController();
  const done = source.run(got.sink, abort.signal);
  const stop = async () => {
    abort.abort();
    await done;
  };
  stops.push(stop);
  return {
    source,
    got,
    stop,
    ready: () => until("the source has started", () => source.stats.state !== "not started"),
  };
}

/** Sends numbered messages to rsyslog's socket; resolves when rsyslog has accepted all. */
function send(first: number, count: number): Promise<void> {
  const script =
    'socket(S, AF_UNIX, SOCK_DGRAM, 0) or die; for ($i = $ARGV[1]; $i < $ARGV[1] + $ARGV[2]; $i++) { send(S, "<38>Nov 20 15:00:00 sshd[7]: message $i", 0, sockaddr_un($ARGV[0])) or die $! }';
  return new Promise((resolve, reject) => {
    execFile("perl", ["-MSocket", "-e", script, join(dir, "in"), String(first), String(count)], (thrown) =>
      thrown === null ? resolve() : reject(thrown),
    );
  });
}

const numbersOf = (lines: readonly string[]): number[] =>
  lines.map((line) => Number(/message (\d+)$/.exec(line)?.[1]));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

describe.skipIf(missing !== "")(`a real rsyslogd${missing && ` (skipped: ${missing})`}`, () => {
  // The source raises net.unix.max_dgram_qlen, which each network namespace has for itself.
  enterNamespace("rsyslog");

  it.each(["traditional", "rfc5424"] as const)(
    "delivers 20,000 messages to our socket without loss (%s)",
    async (format) => {
      const { source, got, ready } = start({ type: "syslog", listen: `unix:${dir}/out` });
      await ready();
      expect(source.stats.state).toMatch(/queue of (51[2-9]|5[2-9]\d|[6-9]\d\d|\d{4,}) datagrams/);
      await startRsyslog(format);
      await send(0, 20_000);
      await got.until(20_000);
      expect(numbersOf(got.lines.slice(-20_000))).toEqual(upTo(20_000));
      expect(source.stats.shed).toBe(0);
      const line = got.lines.find((text) => text.endsWith("message 0"));
      const time =
        format === "rfc5424"
          ? String.raw`\d{4}-\d\d-\d\dT[\d:.]+\S+`
          : String.raw`[A-Z]\w\w [ \d]\d [\d:]{8}`;
      expect(line).toMatch(new RegExp(`^${time} \\S+ sshd\\[7\\]: message 0$`));
    },
  );

  it("finds our socket again after either side restarts", async () => {
    await startRsyslog(); // its socket does not exist yet
    const first = start({ type: "syslog", listen: `unix:${dir}/out` });
    await first.ready();
    await send(0, 100);
    await first.got.until(100);
    expect(numbersOf(first.got.lines.slice(-100))).toEqual(upTo(100));

    await first.stop();
    await send(100, 100);
    const second = start({ type: "syslog", listen: `unix:${dir}/out` });
    await second.ready();
    await send(200, 100);
    // omuxsock drops messages while its socket is gone; later messages must arrive.
    await until(
      "the last message is there",
      () => numbersOf(second.got.lines).includes(299),
      () => `${second.got.lines.length}`,
    );

    await stopRsyslog();
    await startRsyslog();
    await send(300, 100);
    await until(
      "the last message is there",
      () => numbersOf(second.got.lines).includes(399),
      () => `${second.got.lines.length}`,
    );
  });

  it("writes a file that is followed through renames in a flood", async () => {
    await startRsyslog();
    const log = join(dir, "auth.log");
    const { source, got, ready } = start({ type: "file", path: log, start: "beginning" });
    await ready();
    for (let round = 0; round < 5; round++) {
      const sending = send(round * 4000, 4000);
      await until("the log has grown", () => existsSync(log) && statSync(log).size > 50_000);
      renameSync(log, `${log}.${round}`);
      rsyslog?.kill("SIGHUP");
      await sending;
      await until(
        "there is a new file",
        () => existsSync(log),
        () => "no new file",
      );
    }
    await until(
      "the messages are there",
      () => got.lines.filter((line) => line.includes("message")).length >= 20_000,
      () => `${got.lines.length}`,
    );
    const numbers = numbersOf(got.lines.filter((line) => line.includes("message")));
    expect(numbers).toEqual(upTo(20_000));
    expect(source.stats).toMatchObject({ cut: 0, shed: 0 });
  });
});

describe.skipIf(process.getuid?.() !== 0)(
  "a file without read permission (needs root to change the user)",
  () => {
    it("is reported, and followed as soon as it is readable", async () => {
      const log = join(dir, "auth.log");
      spawnSync("chmod", ["755", dir]);
      writeFileSync(log, "old\n", { mode: 0o600 });
      process.setegid?.(65_534);
      process.seteuid?.(65_534);
      let one: ReturnType<typeof start>;
      try {
        one = start({ type: "file", path: log });
        await one.ready();
        expect(one.source.stats.state).toBe(`cannot read ${log}: permission denied`);
        process.seteuid?.(0);
        spawnSync("chmod", ["644", log]);
        process.seteuid?.(65_534);
        await until(
          "the source follows the log",
          () => one.source.stats.state === `follows ${log}`,
          () => one.source.stats.state,
        );
      } finally {
        process.seteuid?.(0);
        process.setegid?.(0);
      }
      appendFileSync(log, "new\n");
      expect(await one.got.until(1)).toEqual(["new"]);
    });
  },
);
