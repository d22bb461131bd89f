import { appendFileSync } from "node:fs";
import { attacker } from "../corpora/attackers.ts";
import { Random } from "../corpora/random.ts";
import { SERVICES } from "../corpora/services.ts";
import { stampOf } from "../corpora/stamp.ts";
import type { LatencyDefinition } from "../definition.ts";
import { type Figures, verify, WrongResult } from "../harness/outcome.ts";
import { type Contestant, runRounds } from "../harness/rounds.ts";
import { quantile } from "../harness/statistics.ts";
import { writeLines } from "../harness/writer.ts";
import { Arena, pause } from "../rivals/daemon.ts";
import { daemonNamed } from "../rivals/daemons.ts";
import type { Workload } from "./workload.ts";

/** From the write of the decisive line until the kernel reports the ban. */
export const latency: Workload<LatencyDefinition> = {
  async run(definition, settings) {
    const contestants = definition.rivals.map(({ name, samples }): Contestant => {
      const daemon = daemonNamed(name);
      const count = settings.quick ? Math.ceil(samples / 5) : samples;
      return {
        who: name,
        missing: daemon.missing(),
        note: `${daemon.note}; ${count} samples a run`,
        run: () => once(definition, name, count),
      };
    });
    const outcomes = await runRounds(contestants, Math.min(settings.rounds, 2));
    const load =
      definition.load === 0
        ? "an idle machine"
        : `${definition.load.toLocaleString("en-US")} other matching lines a second`;
    return {
      columns: COLUMNS,
      outcomes,
      setting: `sshd: one new address at a time, maxretry ${definition.maxretry}, ${load}`,
    };
  },
};

const COLUMNS = [
  { key: "p50Ms", label: "ms p50", digits: 2, compared: true },
  { key: "p99Ms", label: "ms p99", digits: 2, compared: true },
  { key: "worstMs", label: "ms worst", digits: 2 },
  { key: "asked", label: "probes", digits: 0 },
  { key: "banned", label: "banned", digits: 0 },
  { key: "load", label: "lines/s meanwhile", digits: 0 },
  { key: "cpuPercent", label: "CPU % of a core", digits: 1 },
] as const;

const service = "sshd";
/** Time limit for one address, and after the load for all probes. */
const PATIENCE_MS = 20_000;
/** Failures of each address of the load: five that ban it, and forty-five after the ban. */
const FAILURES_EACH = 50;

async function once(definition: LatencyDefinition, who: string, samples: number): Promise<Figures> {
  const { maxretry } = definition;
  const arena = await Arena.open(who, daemonNamed(who), { service, maxretry });
  try {
    arena.start();
    await arena.ready();
    return definition.load === 0
      ? await oneByOne(arena, definition, { who, samples })
      : await underLoad(arena, definition, { who, samples });
  } finally {
    arena.close();
  }
}

async function oneByOne(
  arena: Arena,
  { maxretry, pauseMs }: LatencyDefinition,
  { who, samples }: { who: string; samples: number },
): Promise<Figures> {
  const random = new Random(6);
  const waits: number[] = [];
  const cpuBefore = arena.cpuMs();
  const started = performance.now();
  for (let i = 0; i < samples; i++) {
    const { text } = attacker(i);
    const stamp = stampOf(Math.floor(Date.now() / 1000));
    const lines = Array.from(
      { length: maxretry },
      () => `${SERVICES[service].failure(stamp, text, random)}\n`,
    ).join("");
    const before = process.hrtime.bigint();
    appendFileSync(arena.log, lines);
    const banned = await arena.watch.untilBanned(text, PATIENCE_MS);
    if (banned === null) {
      arena.assertAlive();
      throw new WrongResult(
        `${who}: ${text} (number ${i + 1}) was not banned within ${PATIENCE_MS / 1000} s on an idle machine`,
      );
    }
    waits.push(Number(banned - before) / 1e6);
    await pause(pauseMs + random.below(10));
  }
  const cpuPercent = ((arena.cpuMs() - cpuBefore) / (performance.now() - started)) * 100;
  arena.assertAlive();
  arena.verifyKernel(samples);
  return { ...spread(waits), asked: samples, banned: waits.length, load: 0, cpuPercent };
}

async function underLoad(
  arena: Arena,
  { maxretry, load, pauseMs }: LatencyDefinition,
  { who, samples }: { who: string; samples: number },
): Promise<Figures> {
  const cpuBefore = arena.cpuMs();
  const written = await writeLines({
    path: arena.log,
    service,
    linesPerSecond: load,
    seconds: ((samples + 1) * pauseMs) / 1000,
    failuresEach: FAILURES_EACH,
    maxretry,
    probeEveryMs: pauseMs,
  });
  const cpuPercent = ((arena.cpuMs() - cpuBefore) / (written.seconds * 1000)) * 100;
  const last = written.decisive.at(-1);
  if (last !== undefined) await arena.watch.untilBanned(last[0], PATIENCE_MS);
  arena.assertAlive();
  const waits = written.decisive.flatMap(([address, at]) => {
    const banned = arena.watch.bannedAt(address);
    return banned === undefined ? [] : [Number(banned - BigInt(at)) / 1e6];
  });
  if (waits.some((wait) => wait < 0))
    throw new WrongResult(`${who} has banned an address before it had failed`);
  verify(who, "probes", written.decisive.length, samples);
  return {
    ...spread(waits),
    asked: samples,
    banned: waits.length,
    load: written.lines / written.seconds,
    cpuPercent,
  };
}

function spread(waits: readonly number[]): Figures {
  if (waits.length === 0) return { p50Ms: null, p99Ms: null, worstMs: null };
  return { p50Ms: quantile(waits, 0.5), p99Ms: quantile(waits, 0.99), worstMs: Math.max(...waits) };
}
