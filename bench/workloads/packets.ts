import { request } from "node:http";
import { readdirSync, readFileSync } from "node:fs";
import type { StatusReply } from "../../src/api/wire.ts";
import { join, Namespace, namespaceFault } from "../../test/support/namespace.ts";
import { linkEnds } from "../../test/support/raw-link.ts";
import { Home, RunningDaemon } from "../../test/support/running-daemon.ts";
import { startFlood } from "../../test/support/start-flood.ts";
import type { PacketsDefinition } from "../definition.ts";
import { type Figures, verify, WrongResult } from "../harness/outcome.ts";
import { runRounds } from "../harness/rounds.ts";
import type { Workload } from "./workload.ts";

/** The whole daemon behind a rule that logs to its group, and a sender of forged packets at the other end of a link. */
export const packets: Workload<PacketsDefinition> = {
  async run(definition, settings) {
    const size = settings.quick ? 0.1 : 1;
    const outcomes = await runRounds(
      [
        {
          who: "stoplog",
          missing: namespaceFault(),
          note: "nflog, a jail on SYN packets, nftables through its own messages, state kept on disk",
          run: () => once(definition, size),
        },
      ],
      settings.rounds,
    );
    const count = (n: number): string => Math.round(n * size).toLocaleString("en-US");
    const rate =
      definition.rate === null ? "as fast as can be" : `${definition.rate.toLocaleString("en-US")} a second`;
    return {
      columns: COLUMNS,
      outcomes,
      setting: `${definition.family}: ${count(definition.packets)} packets of ${count(definition.sources)} sources, ${rate}, maxretry ${definition.maxretry}`,
    };
  },
};

const COLUMNS = [
  { key: "bansPerSecond", label: "bans/s", digits: 0 },
  { key: "microsPerBan", label: "CPU µs a ban", digits: 2 },
  { key: "microsPerPacket", label: "CPU µs a logged packet", digits: 2 },
  { key: "packetsPerSecond", label: "packets/s sent", digits: 0 },
  { key: "lost", label: "lost", digits: 0 },
  { key: "senderMicros", label: "sender's CPU µs/packet", digits: 2 },
  { key: "seconds", label: "seconds until the last ban", digits: 3 },
  { key: "peakMegabytes", label: "peak MB", digits: 1 },
] as const;

const GROUP = 5;
const PATIENCE_MS = 60_000;
/** The cheapest question: a sum of counters. */
const EVERY_MS = 20;

async function once(
  { family, maxretry, rate, ...definition }: PacketsDefinition,
  size: number,
): Promise<Figures> {
  const sources = Math.round(definition.sources * size);
  const sent = Math.round(definition.packets * size);
  const server = Namespace.create("server");
  const attacker = Namespace.create("attacker");
  const home = new Home();
  let daemon: RunningDaemon | null = null;
  try {
    join(
      { namespace: server, addresses: ["192.0.2.1/24", "2001:db8::1/64"] },
      { namespace: attacker, addresses: ["192.0.2.66/24", "2001:db8::66/64"] },
    );
    server.feed(RULES, "nft", "-f", "-");
    home.configure(configOf(maxretry));
    daemon = await RunningDaemon.start(home, server);
    const socket = home.file("control.sock");
    const { pid } = await poll(socket, ({ sources: [first] }) => first?.state.startsWith("listens") === true);
    const before = cpuMs(pid);
    const flood = startFlood(attacker, {
      ends: linkEnds(attacker, server),
      first: family === "v4" ? "100.64.0.0" : "2001:db8:64::",
      sources,
      destination: family === "v4" ? "192.0.2.1" : "2001:db8::1",
      destinationPort: 22,
      packets: sent,
      rate,
    });
    // No question before this: the answer would be part of the measurement.
    const flooded = await flood();
    const status = await poll(
      socket,
      ({ book, sources: [first] }) => book.bans + (first?.shed ?? 0) >= sources,
    );
    const until = Date.now();
    // Bans are written to disk 0.1 s later.
    await new Promise((resolve) => setTimeout(resolve, 500));
    const used = cpuMs(pid) - before;
    const lost = status.sources[0]?.shed ?? 0;
    if (lost === 0) verify("stoplog", "addresses", status.book.bans, sources);
    const counted = status.jails[0]?.failures ?? 0;
    return {
      bansPerSecond: status.book.bans / ((until - flooded.startedAt) / 1000),
      microsPerBan: (used * 1000) / status.book.bans,
      microsPerPacket: (used * 1000) / counted,
      packetsPerSecond: flooded.packets / flooded.seconds,
      lost,
      senderMicros: (flooded.cpuSeconds * 1e6) / flooded.packets,
      seconds: (until - flooded.startedAt) / 1000,
      peakMegabytes: status.memoryBytes / 1e6,
    };
  } finally {
    await daemon?.end();
    server.remove();
    attacker.remove();
    home.remove();
  }
}

const RULES = `table inet logging { chain c { type filter hook prerouting priority -200;
  iifname veth0 tcp flags & (syn|ack) == syn log group ${GROUP} snaplen 64 queue-threshold 200 drop; }; }`;

function configOf(maxretry: number): string {
  return JSON.stringify({
    sources: { syn: { type: "nflog", group: GROUP } },
    jails: {
      synflood: {
        sources: ["syn"],
        packets: { protocol: "tcp", flags: "syn,!ack" },
        maxretry,
        findtime: "10m",
        bantime: "1h",
        target: "default",
      },
    },
    // No limits: this measures the daemon's maximum.
    limits: { packet_bans: 10_000_000 },
    state: "HOME/state",
  });
}

/** CPU time of all threads of a process, including the kernel's work for them (sched-stats.rst). */
function cpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const nanoseconds = threads.map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}

async function poll(socketPath: string, isSo: (status: StatusReply) => boolean): Promise<StatusReply> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const status = await ask(socketPath);
    if (status !== null && isSo(status)) return status;
    if (performance.now() > deadline) {
      const { book, sources, jails } = status ?? {};
      throw new WrongResult(`stoplog is not done in time: ${JSON.stringify({ book, sources, jails })}`);
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

function ask(socketPath: string): Promise<StatusReply | null> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: "/v1/status", timeout: 5000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve(JSON.parse(Buffer.concat(chunks).toString()) as StatusReply));
    });
    asked.on("error", () => resolve(null));
    asked.on("timeout", () => asked.destroy());
    asked.end();
  });
}
