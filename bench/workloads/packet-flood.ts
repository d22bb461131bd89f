import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { join, Namespace, namespaceFault } from "../../test/support/namespace.ts";
import { linkEnds } from "../../test/support/raw-link.ts";
import { Home, RunningDaemon } from "../../test/support/running-daemon.ts";
import { EchoService } from "../../test/support/service.ts";
import { startFlood } from "../../test/support/start-flood.ts";
import { Visiting } from "../../test/support/visiting.ts";
import type { PacketFloodDefinition } from "../definition.ts";
import { type Figures, verify, WrongResult } from "../harness/outcome.ts";
import { type Contestant, runRounds } from "../harness/rounds.ts";
import { Arena } from "../rivals/daemon.ts";
import { daemonNamed } from "../rivals/daemons.ts";
import type { Workload } from "./workload.ts";

/** A service under a SYN flood of forged senders, with legitimate visitors before, during and after it. */
export const packetFlood: Workload<PacketFloodDefinition> = {
  async run(definition, settings) {
    const size = settings.quick ? 0.7 : 1;
    const contestants = definition.rivals.map(({ name, share = 1 }): Contestant => {
      const scaled = {
        ...definition,
        packets: Math.round(definition.packets * size * share),
        sources: Math.round(definition.sources * size * share),
      };
      const asLines = name.startsWith("fail2ban");
      return {
        who: name,
        missing: namespaceFault() ?? (asLines ? daemonNamed(name).missing() : null),
        note: NOTES[name] ?? `${daemonNamed(name).note}; ${share * 100} % of packets and sources, as lines`,
        run: () => (asLines ? lines(name, scaled) : once(name, scaled)),
      };
    });
    const outcomes = await runRounds(contestants, settings.rounds);
    const count = (n: number): string => Math.round(n * size).toLocaleString("en-US");
    return {
      columns: COLUMNS,
      outcomes,
      setting: `${count(definition.packets)} SYN packets of ${count(definition.sources)} sources at ${definition.rate.toLocaleString("en-US")} a second, maxretry ${definition.maxretry}; ${definition.visitors} visitors a second`,
    };
  },
};

const COLUMNS = [
  { key: "microsPerPacket", label: "CPU µs/packet", digits: 4 },
  { key: "cpuMs", label: "CPU ms", digits: 0 },
  { key: "idleMs", label: "idle CPU ms", digits: 0 },
  { key: "during", label: "visitors during, %", digits: 1 },
  { key: "after", label: "after, %", digits: 1 },
  { key: "before", label: "before, per second", digits: 1 },
  { key: "packetsPerSecond", label: "packets/s sent", digits: 0 },
  { key: "bans", label: "bans", digits: 0 },
] as const;

const NOTES: Readonly<Record<string, string>> = {
  undefended: "no daemon, no rules",
  "stoplog-kernel": "offload: kernel, target default",
  "stoplog-nflog": "nflog with install: true, target default",
};

const WARM_UP_MS = 1000;
const SETTLING_MS = 6500;
const PHASE_MS = 4000;
/** Enough visitors that none is as busy as an attacker. */
const VISITORS = Array.from({ length: 150 }, (_, i) => `192.0.2.${100 + i}`);
const HOST = "192.0.2.1";
const PORT = 22;

async function once(name: string, definition: PacketFloodDefinition): Promise<Figures> {
  const { sources, packets, rate, maxretry } = definition;
  const server = Namespace.create("server");
  const attacker = Namespace.create("attacker");
  const home = new Home();
  let daemon: RunningDaemon | null = null;
  let visiting: Visiting | null = null;
  let service: EchoService | null = null;
  try {
    join(
      { namespace: server, addresses: [`${HOST}/24`] },
      { namespace: attacker, addresses: ["192.0.2.66/24", ...VISITORS.map((address) => `${address}/24`)] },
    );
    // A route for answers to forged senders: without one the kernel does not keep their SYNs.
    server.run("ip", "route", "add", "default", "via", "192.0.2.66");
    // Without cookies a full backlog of half-open connections shows; they last three seconds.
    server.run("sysctl", "-qw", "net.ipv4.tcp_syncookies=0", "net.ipv4.tcp_synack_retries=1");
    service = await EchoService.start(server, PORT);
    let pid = 0;
    if (name !== "undefended") {
      home.configure(configOf(name, maxretry));
      daemon = await RunningDaemon.start(home, server);
      ({ pid } = daemon);
    }
    visiting = new Visiting(attacker, {
      host: HOST,
      port: PORT,
      perSecond: definition.visitors,
      from: VISITORS,
      patienceMs: 1000,
    });
    await sleep(WARM_UP_MS);
    const before = await visiting.rate(PHASE_MS);
    const idleFrom = pid === 0 ? 0 : cpuMs(pid);
    await sleep((packets / rate) * 1000);
    const idleMs = pid === 0 ? 0 : cpuMs(pid) - idleFrom;
    const cpuFrom = pid === 0 ? 0 : cpuMs(pid);
    const flood = startFlood(attacker, {
      ends: linkEnds(attacker, server),
      first: "100.64.0.0",
      sources,
      destination: HOST,
      destinationPort: PORT,
      packets,
      rate,
    });
    // The sender starts, all sources are banned, and their half-open connections have timed out.
    await sleep(SETTLING_MS);
    const during = await visiting.rate(Math.max(1000, (packets / rate) * 1000 - SETTLING_MS - 500));
    const { seconds } = await flood();
    await sleep(1200);
    const used = pid === 0 ? 0 : cpuMs(pid) - cpuFrom;
    const bans = daemon?.status().book.bans ?? 0;
    if (daemon !== null) verify(name, "bans", bans, sources);
    const after = await visiting.rate(PHASE_MS);
    return {
      microsPerPacket: (Math.max(0, used - idleMs) * 1000) / packets,
      cpuMs: used,
      idleMs,
      before,
      during: (during / before) * 100,
      after: (after / before) * 100,
      packetsPerSecond: packets / seconds,
      bans,
    };
  } finally {
    visiting?.stop();
    await daemon?.end();
    service?.stop();
    server.remove();
    attacker.remove();
    home.remove();
  }
}

function configOf(name: string, maxretry: number): string {
  const jail = {
    packets: { protocol: "tcp", flags: "syn,!ack", ports: PORT },
    maxretry,
    findtime: "1s",
    bantime: "10m",
    target: "default",
  };
  return JSON.stringify(
    name === "stoplog-kernel"
      ? { jails: { synflood: { ...jail, offload: "kernel" } }, state: "HOME/state" }
      : {
          sources: { syn: { type: "nflog", group: 5, install: true } },
          jails: { synflood: { ...jail, sources: "syn" } },
          state: "HOME/state",
        },
  );
}

/** The same packets for fail2ban: one line of kern.log each. */
async function lines(name: string, { sources, packets, maxretry }: PacketFloodDefinition): Promise<Figures> {
  const arena = await Arena.open(name, daemonNamed(name), { service: "kernel", maxretry });
  try {
    arena.start();
    await arena.ready();
    const cpuFrom = arena.cpuMs();
    const stamp = new Date().toString().slice(4, 10) + new Date().toTimeString().slice(0, 8).padStart(9);
    const text = Array.from(
      { length: packets },
      (_, i) =>
        `${stamp} server kernel: [12345.678901] SYN: IN=veth0 OUT= MAC=02:00:00:00:00:01:02:00:00:00:00:02:08:00 SRC=100.64.${((i % sources) >> 8) & 255}.${(i % sources) & 255} DST=${HOST} LEN=40 TOS=0x00 PREC=0x00 TTL=64 ID=0 PROTO=TCP SPT=40000 DPT=${PORT} WINDOW=64240 RES=0x00 SYN URGP=0\n`,
    );
    writeFileSync(arena.log, text.join(""), { flag: "a" });
    if (!(await arena.watch.until(sources, PATIENCE_MS)))
      throw new WrongResult(`${name} has banned ${arena.watch.size} of ${sources}`);
    await arena.counted(packets, PATIENCE_MS).catch(() => undefined);
    const used = arena.cpuMs() - cpuFrom;
    return {
      microsPerPacket: (used * 1000) / packets,
      cpuMs: used,
      idleMs: null,
      before: null,
      during: null,
      after: null,
      packetsPerSecond: null,
      bans: arena.watch.size,
    };
  } finally {
    arena.close();
  }
}

const PATIENCE_MS = 120_000;

/** CPU time of all threads of a process, including the kernel's work for them (sched-stats.rst). */
function cpuMs(pid: number): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]),
  );
  return nanoseconds.reduce((sum, each) => sum + each, 0) / 1e6;
}
