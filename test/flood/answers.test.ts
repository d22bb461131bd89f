import { setTimeout as sleep } from "node:timers/promises";
import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StatusReply } from "../../src/api/wire.ts";
import { packageRoot } from "../../src/config/package-root.ts";
import { until } from "../support/waiting.ts";

// The real program as a dry run, which needs no rights. Its control socket is queried while it reads a flood.

const LINES = 2_000_000;
const ADDRESSES = 100_000;
const EVERY_MS = 20;

let home = "";
let daemon: ChildProcess;
let log = "";

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "stoplog-flood-"));
  writeFileSync(join(home, "auth.log"), "");
  writeFileSync(
    join(home, "stoplog.yaml"),
    [
      "sources:",
      `  auth: { type: file, path: ${home}/auth.log }`,
      "jails:",
      "  sshd: { sources: [auth], filter: sshd, maxretry: 5, findtime: 1h, bantime: 1h }",
      "state: false",
    ].join("\n"),
  );
  log = "";
  const args = ["run", "-c", join(home, "stoplog.yaml"), "--socket", join(home, "control.sock"), "--dry-run"];
  daemon = spawn(join(packageRoot(), "bin", "stoplog"), args, { stdio: ["ignore", "ignore", "pipe"] });
  daemon.stderr?.on("data", (chunk: Buffer) => (log += chunk.toString()));
  await until(
    "the daemon watches",
    () => log.includes(" watches "),
    () => log,
  );
});

afterEach(async () => {
  const ended = new Promise((resolve) => daemon.once("exit", resolve));
  if (daemon.exitCode === null && daemon.signalCode === null) {
    daemon.kill("SIGTERM");
    await ended;
  }
  rmSync(home, { recursive: true });
});

describe("a flood of 2,000,000 failures from 100,000 addresses", () => {
  it("is read without loss while the daemon answers, and logged in a few lines", async () => {
    const flood = join(home, "flood");
    writeFlood(flood);
    const writer = spawn("sh", ["-c", 'cat "$0" >> "$1"', flood, join(home, "auth.log")]);
    writer.on("error", (error) => (log += String(error)));
    let answers = 0;
    let status = await ask();
    const deadline = Date.now() + 100_000;
    while (sshd(status).failures < LINES && Date.now() < deadline) {
      await sleep(EVERY_MS);
      status = await ask();
      answers++;
    }
    expect(sshd(status), log).toMatchObject({
      failures: LINES,
      counted: ADDRESSES * 5,
      alreadyBanned: LINES - ADDRESSES * 5,
      bans: ADDRESSES,
    });
    expect(status.sources[0], log).toMatchObject({ shed: 0, shedBytes: 0, waitingBytes: 0, laterBytes: 0 });
    // The bench measures times; this counts only that it answers during the flood.
    expect(answers).toBeGreaterThan(3);
    expect(log.split("\n").length, log).toBeLessThan(300);
    expect(log).toContain("Flood: sshd met ");
  });
});

describe("a log writer that drops lines", () => {
  it("is reported as a blind source, with the cure", async () => {
    const time = new Date().toISOString();
    appendFileSync(
      join(home, "auth.log"),
      `${time} box rsyslogd: imuxsock[pid 42]: 1234 messages lost due to rate-limiting\n`,
    );
    const sentence =
      'Source auth is blind: rsyslog dropped 1,234 messages (last of process 42); set SysSock.RateLimit.Interval="0"';
    await until(
      "the warning is logged",
      () => log.includes(sentence),
      () => log,
    );
    const { sources, warnings } = await ask();
    expect(sources[0]?.blind).toBe(1234);
    expect(warnings).toContainEqual(expect.stringContaining(sentence));
  });
});

/** Failures of sshd in a botnet's order: every address once, then every address again. Each has its own /64. */
function writeFlood(path: string): void {
  const time = new Date().toISOString();
  const fd = openSync(path, "w");
  for (let round = 0; round < LINES / ADDRESSES; round++) {
    for (let first = 0; first < ADDRESSES; first += 10_000) {
      let text = "";
      for (let n = first; n < first + 10_000; n++) {
        const address = `2001:db8:${(n >>> 16).toString(16)}:${(n & 0xffff).toString(16)}::1`;
        text += `${time} box sshd[${n}]: Failed password for root from ${address} port 4${round} ssh2\n`;
      }
      writeSync(fd, text);
    }
  }
  closeSync(fd);
}

function sshd(status: StatusReply): StatusReply["jails"][number] {
  const [jail] = status.jails;
  if (jail === undefined) throw new Error("the status knows no jail");
  return jail;
}

function ask(): Promise<StatusReply> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: join(home, "control.sock"), path: "/v1/status" }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => resolve(JSON.parse(Buffer.concat(chunks).toString()) as StatusReply));
    });
    asked.on("error", reject);
    asked.end();
  });
}
