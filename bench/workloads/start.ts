import { appendFileSync } from "node:fs";
import { attacker } from "../corpora/attackers.ts";
import { Random } from "../corpora/random.ts";
import { SERVICES } from "../corpora/services.ts";
import { stampOf } from "../corpora/stamp.ts";
import type { StartDefinition } from "../definition.ts";
import { type Figures, WrongResult } from "../harness/outcome.ts";
import { type Contestant, runRounds } from "../harness/rounds.ts";
import { Arena, pause } from "../rivals/daemon.ts";
import { daemonNamed } from "../rivals/daemons.ts";
import type { Workload } from "./workload.ts";

/**
 * From the start of the process to the first ban, measured from outside: a failure of a new address is written every few
 * milliseconds from the start on, and the clock stops at the kernel's first ban. Then the daemon idles.
 */
export const start: Workload<StartDefinition> = {
  async run(definition, settings) {
    const idleSeconds = settings.quick ? 3 : definition.idleSeconds;
    const contestants = definition.rivals.map(({ name }): Contestant => {
      const daemon = daemonNamed(name);
      return { who: name, missing: daemon.missing(), note: daemon.note, run: () => once(name, idleSeconds) };
    });
    const outcomes = await runRounds(contestants, settings.rounds);
    return {
      columns: COLUMNS,
      outcomes,
      setting: `sshd, maxretry 1, a line every ${EVERY_MS} ms; then nothing for ${idleSeconds} s`,
    };
  },
};

const COLUMNS = [
  { key: "firstBanMs", label: "ms to the first ban", digits: 0, compared: true },
  { key: "startCpuMs", label: "CPU ms until then", digits: 0, compared: true },
  { key: "idleCpuMsPerSecond", label: "idle: CPU ms/s", digits: 2 },
  { key: "idleSwitchesPerSecond", label: "switches/s", digits: 1 },
  { key: "idleMegabytes", label: "resident MB", digits: 1 },
] as const;

const service = "sshd";
const EVERY_MS = 5;
const PATIENCE_MS = 20_000;
const SETTLE_MS = 2000;

async function once(who: string, idleSeconds: number): Promise<Figures> {
  const arena = await Arena.open(who, daemonNamed(who), { service, maxretry: 1 });
  try {
    arena.start();
    const first = await firstBan(arena);
    if (first === null)
      throw new WrongResult(`${who} has banned no address ${PATIENCE_MS / 1000} s after its start`);
    const startCpuMs = arena.cpuMs();
    await pause(SETTLE_MS);
    const before = { cpu: arena.cpuMs(), switches: arena.contextSwitches() };
    await pause(idleSeconds * 1000);
    const after = { cpu: arena.cpuMs(), switches: arena.contextSwitches() };
    arena.assertAlive();
    return {
      firstBanMs: Number(first - arena.startedAt) / 1e6,
      startCpuMs,
      idleCpuMsPerSecond: (after.cpu - before.cpu) / idleSeconds,
      idleSwitchesPerSecond: (after.switches - before.switches) / idleSeconds,
      idleMegabytes: arena.memory().now / 1e6,
    };
  } finally {
    arena.close();
  }
}

/** When the first of our addresses was banned; other bans may be the daemon's own tests. */
async function firstBan(arena: Arena): Promise<bigint | null> {
  const random = new Random(8);
  const asked: string[] = [];
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const { text } = attacker(asked.length);
    asked.push(text);
    const stamp = stampOf(Math.floor(Date.now() / 1000));
    appendFileSync(arena.log, `${SERVICES[service].failure(stamp, text, random)}\n`);
    await pause(EVERY_MS);
    if (arena.watch.size === 0) continue;
    const times = asked.flatMap((address) => arena.watch.bannedAt(address) ?? []);
    if (times.length > 0) return times.reduce((a, b) => (a < b ? a : b));
  }
  return null;
}
