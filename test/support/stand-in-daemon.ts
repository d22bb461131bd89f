import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { ListedBan, StatusReply } from "../../src/api/wire.ts";
import { type Ran, run, type RunOptions } from "./run-cli.ts";

/** A request to the socket. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly body: unknown;
}

export type Answer = (asked: Asked) => { readonly status?: number; readonly body: unknown };

/** Listens on a control socket in a folder of its own, a new one for each test. */
export class StandInDaemon {
  #folder = "";
  #server: Server | null = null;

  constructor() {
    beforeEach(() => {
      this.#folder = mkdtempSync(join(tmpdir(), "stoplog-cli-"));
    });
    afterEach(async () => {
      await this.#close();
      rmSync(this.#folder, { recursive: true });
    });
  }

  get socket(): string {
    return join(this.#folder, "control.sock");
  }

  /** Answers every request as `answer` says: a string as it is, everything else as JSON, an array as NDJSON for a client that accepts it. Returns the requests. */
  async serve(answer: Answer): Promise<readonly Asked[]> {
    const questions: Asked[] = [];
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const text = Buffer.concat(parts).toString();
        const asked = {
          method: request.method ?? "",
          url: request.url ?? "",
          body: text === "" ? null : (JSON.parse(text) as unknown),
        };
        questions.push(asked);
        const { status = 200, body } = answer(asked);
        const { accept = "" } = request.headers;
        const isLines =
          accept === "application/x-ndjson" && (Array.isArray(body) || typeof body === "string");
        response.writeHead(status, { "content-type": isLines ? accept : "application/json" });
        if (typeof body === "string") response.end(body);
        else if (isLines) response.end((body as unknown[]).map((one) => `${JSON.stringify(one)}\n`).join(""));
        else response.end(JSON.stringify(body));
      });
    });
    this.#server = server;
    await new Promise<void>((done) => server.listen(this.socket, done));
    return questions;
  }

  /** Runs a command line against this daemon. */
  run(line: readonly string[], options: RunOptions = {}): Promise<Ran> {
    return run(line, { ...options, env: { STOPLOG_SOCKET: this.socket, ...options.env } });
  }

  async #close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    server?.closeAllConnections();
    await new Promise<void>((done) => (server === null ? done() : server.close(() => done())));
  }
}

export const ban = (address: string, more: Partial<ListedBan> = {}): ListedBan => ({
  address,
  jail: "sshd",
  target: "default",
  reason: "5 failures in 10m",
  since: "2026-01-02T03:04:05.000Z",
  until: null,
  origin: "local",
  enforced: true,
  trouble: null,
  ...more,
});

export const STATUS: StatusReply = {
  version: "9.8.7",
  state: "healthy",
  pid: 4711,
  since: new Date(Date.now() - 3_600_000).toISOString(),
  config: "/etc/stoplog/stoplog.yaml",
  imported: null,
  dryRun: false,
  memoryBytes: 50 * 1024 * 1024,
  enforcers: [
    {
      kind: "nftables",
      state: "ready",
      applied: 1234,
      refused: 2,
      resyncs: 1,
      notEnforced: 1,
      evicted: 0,
      trouble: "1 ban not enforced: the set is full",
      lastTrouble: "Cannot ban 192.0.2.1: no",
    },
  ],
  connections: {
    state: "ready",
    passes: 3,
    entries: 40,
    sockets: 2,
    refused: 0,
    waiting: 0,
    dropped: 0,
    lastTrouble: null,
  },
  book: { bans: 12, capacity: 1_000_000, evicted: 0, refused: 0 },
  sources: [
    {
      name: "auth",
      kind: "file",
      state: "follows 1 file",
      bytes: 1000,
      bytesPerSecond: 2048,
      lines: 50_000,
      linesPerSecond: 20.5,
      lag: 0.04,
      waitingBytes: 0,
      laterBytes: 0,
      leaps: 0,
      lostFiles: 0,
      cut: 3,
      shed: 7,
      overruns: 0,
      unusable: 0,
      shedBytes: 4096,
      turnedAway: 0,
      givenUp: 0,
      statesForgotten: 0,
      blind: 0,
    },
  ],
  jails: [
    {
      name: "sshd",
      filter: "sshd",
      sources: ["auth"],
      target: "default",
      maxretry: 5,
      findtime: "10m",
      bantime: "-1",
      steps: [{ maxretry: 5, times: 1, target: "default", bantime: "-1" }],
      failures: 100,
      counted: 90,
      alreadyBanned: 8,
      afterBan: 2,
      notEnforced: 4,
      allowListed: 1,
      ownAddress: 0,
      impossible: 0,
      unforgiven: 0,
      trusted: 0,
      stale: 1,
      spared: 0,
      good: 4,
      bans: 6,
      banned: 2,
      addresses: 30,
      forgotten: 0,
      offenders: 0,
      forgottenOffenders: 0,
      capped: 0,
      kernel: { connlimit: null, stopped: 40, waiting: 1, full: 0, uncounted: 0 },
    },
  ],
  allows: {
    orders: 1,
    forgotten: 0,
    newest: [{ address: "0.0.0.0/0", since: "2026-11-19T12:00:00.000Z", until: null, origin: "operator" }],
  },
  trusted: { addresses: 0, forgotten: 0 },
  ignorecommand: { asked: 0, found: 0, failed: 0, dropped: 0, forgotten: 0 },
  ignoreip: { addresses: 0, failed: 0, bad: 0, dropped: 0 },
  notify: [
    {
      name: "team",
      type: "webhook",
      sent: 12,
      failed: 1,
      waiting: 3,
      summed: 40,
      missed: 0,
      dropped: 2,
      lastTrouble: "the server answers 503",
    },
  ],
  api: { addresses: ["127.0.0.1:8443"], requests: 7, wrongTokens: 1, turnedAway: 0 },
  metrics: { address: "127.0.0.1:9842", requests: 3, turnedAway: 0 },
  feed: { epoch: "5f1c", last: 12 },
  origins: [
    {
      name: "scorer",
      bans: 3,
      done: 5,
      nothing: 1,
      held: 2,
      refused: 1,
      unreadable: 4,
      lastRefusal: "Cannot ban 192.0.2.9 for scorer: it is, or holds, an own address",
    },
  ],
  held: { orders: 2, dropped: 0, forgottenIds: 0, forgottenBans: 0 },
  names: { dropped: 0, forgotten: 0 },
  control: { turnedAway: 0, tooLong: 0 },
  fail2ban: { socket: null, commands: 0, refused: 0, turnedAway: 0, broken: 0, unlisted: 0 },
  log: { written: 40, lost: 0, held: 0 },
  loop: { p99Ms: 0.4, maxMs: 3.2 },
  lists: [
    {
      name: "spamhaus",
      verdict: "drop",
      state: "follows /etc/stoplog/drop.txt",
      networks: 1523,
      packets: 42,
      bytes: 2520,
      changedAt: new Date(Date.now() - 7_200_000).toISOString(),
      held: null,
      trouble: null,
      malformed: 0,
      wide: 0,
      masked: 0,
      over: 0,
      takenOut: 1,
      remarks: ["10.0.0.0/8 is private: taken out"],
    },
  ],
  publishers: [
    {
      name: "edges",
      kind: "zmq",
      state: "listens on tcp://127.0.0.1:22621 (2 connected)",
      published: 12,
      left: 3,
      unsayable: 1,
      missed: 0,
      resyncs: 0,
      turnedAway: 0,
    },
  ],
  evidence: { lines: 90, forgotten: 0, forgottenBans: 0 },
  troubles: [],
  warnings: ["Cannot read /var/log/x: permission denied"],
};
