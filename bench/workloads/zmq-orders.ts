import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { request } from "node:http";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { StatusReply } from "../../src/api/wire.ts";
import { hasProgram, Namespace, namespaceFault } from "../../test/support/namespace.ts";
import { Home, RunningDaemon } from "../../test/support/running-daemon.ts";
import { peerFault } from "../../test/support/zmq-peer.ts";
import type { ZmqOrdersDefinition } from "../definition.ts";
import { BanWatch } from "../harness/ban-watch.ts";
import { type Figures, verify, WrongResult } from "../harness/outcome.ts";
import { type Contestant, runRounds } from "../harness/rounds.ts";
import { quantile } from "../harness/statistics.ts";
import type { Workload } from "./workload.ts";

/** Orders from a publisher to the kernel's sets: all at once, one by one, and in Swabber's way. */
export const zmqOrders: Workload<ZmqOrdersDefinition> = {
  async run(definition, settings) {
    const size = settings.quick ? 0.1 : 1;
    const { orders, paced, pauseMicros, swabbers } = definition;
    const missing = namespaceFault() ?? peerFault();
    const count = (n: number): number => Math.round(n * size);
    const contestants: readonly Contestant[] = [
      {
        who: "stoplog, an address a message",
        missing,
        note: "Swabber's frames",
        run: () => flood("swabber", count(orders)),
      },
      {
        who: "stoplog, 1,000 orders a message",
        missing,
        note: "ours, JSON",
        run: () => flood("batches", count(orders)),
      },
      {
        who: `stoplog, a message each ${pauseMicros} µs`,
        missing,
        note: "Swabber's frames; from the sender's write to the kernel's own notification",
        run: () => pace(count(paced), pauseMicros),
      },
      {
        who: "Swabber's way",
        missing: missing ?? (hasProgram("iptables") ? null : "iptables is not installed"),
        note: `iptables -L -n and iptables -I for each of ${count(swabbers).toLocaleString("en-US")} bans, without Swabber's own share`,
        run: () => Promise.resolve(swabbersWay(count(swabbers))),
      },
    ];
    return {
      columns: COLUMNS,
      outcomes: await runRounds(contestants, settings.rounds),
      setting: `${count(orders).toLocaleString("en-US")} orders of as many addresses at once; ${count(paced).toLocaleString("en-US")} one after the other; nftables through its own messages, state kept on disk`,
    };
  },
};

const COLUMNS = [
  { key: "bansPerSecond", label: "bans/s", digits: 0 },
  { key: "microsPerBan", label: "CPU µs a ban", digits: 2 },
  { key: "bansPerCore", label: "bans a second of CPU", digits: 0 },
  { key: "p50Ms", label: "ms p50", digits: 2 },
  { key: "p99Ms", label: "ms p99", digits: 2 },
  { key: "worstMs", label: "ms worst", digits: 1 },
  { key: "loopMs", label: "longest turn, ms", digits: 1 },
  { key: "peakMegabytes", label: "peak MB", digits: 1 },
] as const;

const PORT = 22_620;
const PYTHON = "/usr/bin/python3";
/** The kernel's own figures. */
const COUNT = "nft list set inet stoplog default_v4 | grep -o expires | wc -l";
const PATIENCE_MS = 60_000;

interface Stage {
  readonly server: Namespace;
  readonly daemon: RunningDaemon;
  readonly pid: number;
  readonly socketPath: string;
  readonly said: Interface;
  /** Starts the sender; returns the time, in ns of the monotonic clock. */
  readonly begin: () => Promise<bigint>;
}

async function flood(kind: "swabber" | "batches", orders: number): Promise<Figures> {
  return staged([kind, String(orders)], async ({ daemon, server, pid, socketPath, begin }) => {
    const before = cpuMs(pid);
    const started = await begin();
    const until = await applied(socketPath, orders);
    // Bans are written to disk 0.1 s later.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const micros = ((cpuMs(pid) - before) * 1000) / orders;
    const status = daemon.status();
    verify("stoplog", "bans", status.book.bans, orders);
    const shown = await kernelShows(server, orders);
    verify("the kernel", "addresses", shown, orders);
    return {
      bansPerSecond: orders / (Number(until - started) / 1e9),
      microsPerBan: micros,
      bansPerCore: 1e6 / micros,
      p50Ms: null,
      p99Ms: null,
      worstMs: null,
      loopMs: status.loop.maxMs,
      peakMegabytes: status.memoryBytes / 1e6,
    };
  });
}

async function pace(orders: number, micros: number): Promise<Figures> {
  return staged(["paced", String(orders), String(micros)], async ({ daemon, server, pid, said, begin }) => {
    const space = { wrap: (command: readonly string[]) => ["ip", "netns", "exec", server.name, ...command] };
    const watch = await BanWatch.ofKernel(space, "stoplog");
    try {
      const before = cpuMs(pid);
      const sent = new Map<string, bigint>();
      const ended = new Promise<void>((resolve) => {
        said.on("line", (line) => {
          const [at = "0", address] = line.split(" ");
          if (line === "end") resolve();
          else if (address !== undefined) sent.set(address, BigInt(at));
        });
      });
      const started = await begin();
      await ended;
      if (!(await watch.until(orders, PATIENCE_MS)))
        throw new WrongResult(`stoplog banned ${watch.size} of ${orders}`);
      const waits = [...sent].map(([address, at]) => Number((watch.bannedAt(address) ?? 0n) - at) / 1e6);
      verify("the sender", "addresses", waits.length, orders);
      const used = ((cpuMs(pid) - before) * 1000) / orders;
      return {
        bansPerSecond: orders / (Number(watch.last - started) / 1e9),
        microsPerBan: used,
        bansPerCore: 1e6 / used,
        p50Ms: quantile(waits, 0.5),
        p99Ms: quantile(waits, 0.99),
        worstMs: Math.max(...waits),
        loopMs: daemon.status().loop.maxMs,
        peakMegabytes: daemon.status().memoryBytes / 1e6,
      };
    } finally {
      watch.close();
    }
  });
}

function swabbersWay(bans: number): Figures {
  const server = Namespace.create("swabber");
  try {
    const [seconds = 0, cpu = 0] = server
      .run(PYTHON, fileURLToPath(new URL("swabbers-way.py", import.meta.url)), String(bans))
      .split(" ")
      .map(Number);
    const rules = server.run("iptables", "-S", "INPUT").split("swabber:").length - 1;
    verify("Swabber's way", "rules", rules, bans);
    const each = { p50Ms: null, p99Ms: null, worstMs: null, loopMs: null, peakMegabytes: null };
    return {
      bansPerSecond: bans / seconds,
      microsPerBan: (cpu * 1e6) / bans,
      bansPerCore: bans / cpu,
      ...each,
    };
  } finally {
    server.remove();
  }
}

/** The whole daemon, subscribed to a sender that has not started yet. */
async function staged(args: readonly string[], act: (stage: Stage) => Promise<Figures>): Promise<Figures> {
  const server = Namespace.create("bus");
  const home = new Home();
  let daemon: RunningDaemon | null = null;
  let sender: ChildProcess | null = null;
  try {
    home.configure(CONFIG);
    sender = server.spawn(
      PYTHON,
      [fileURLToPath(new URL("zmq-sender.py", import.meta.url)), String(PORT), ...args],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    const said = createInterface({ input: sender.stdout ?? process.stdin });
    const ready = once(said, "line");
    daemon = await RunningDaemon.start(home, server);
    await ready;
    const { pid } = daemon;
    const { stdin } = sender;
    return await act({
      server,
      daemon,
      pid,
      socketPath: home.file("control.sock"),
      said,
      begin: async () => {
        const began = once(said, "line");
        stdin?.write("\n");
        return BigInt(String((await began)[0]));
      },
    });
  } finally {
    sender?.kill("SIGKILL");
    await daemon?.end();
    server.remove();
    home.remove();
  }
}

const CONFIG = JSON.stringify({
  sources: { bus: { type: "zmq", connect: `tcp://127.0.0.1:${PORT}` } },
  // No limits: this measures the daemon's maximum.
  origins: { bus: { rate: 10_000_000, mass: 1_000_000_000, bans: 1_000_000 } },
  state: "HOME/state",
});

/** When the kernel has all bans, within 20 ms, in ns of the monotonic clock. */
async function applied(socketPath: string, orders: number): Promise<bigint> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const { applied: done = 0 } = (await statusOf(socketPath)).enforcers[0] ?? {};
    const now = process.hrtime.bigint();
    if (done >= orders) return now;
    if (performance.now() > deadline) throw new WrongResult(`stoplog enforces ${done} of ${orders} in time`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function statusOf(socketPath: string): Promise<StatusReply> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: "/v1/status" }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(JSON.parse(Buffer.concat(chunks).toString()) as StatusReply));
    });
    asked.on("error", reject);
    asked.end();
  });
}

/** How many addresses nft shows; retried for a while, since a starved daemon may be rewriting its set. */
async function kernelShows(server: Namespace, expected: number): Promise<number> {
  for (let tries = 10; ; tries--) {
    const shown = Number(server.run("sh", "-c", COUNT));
    if (shown === expected || tries === 0) return shown;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** CPU time of all threads of a process, including libzmq's and the kernel's work for them (sched-stats.rst). */
function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}
