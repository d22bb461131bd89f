import { appendFileSync } from "node:fs";
import { generate } from "../corpora/corpus.ts";
import type { MemoryDefinition } from "../definition.ts";
import { type Figures, verify } from "../harness/outcome.ts";
import { type Contestant, runRounds } from "../harness/rounds.ts";
import { Arena, pause } from "../rivals/daemon.ts";
import { daemonNamed } from "../rivals/daemons.ts";
import type { Workload } from "./workload.ts";

/** Resident memory of the whole daemon: at rest, and with many addresses with one failure each. */
export const memory: Workload<MemoryDefinition> = {
  async run(definition, settings) {
    const contestants = definition.rivals.map(({ name, addresses }): Contestant => {
      const daemon = daemonNamed(name);
      return {
        who: name,
        missing: daemon.missing(),
        note: daemon.note,
        run: () => once(name, settings.quick ? addresses / 10 : addresses),
      };
    });
    const outcomes = await runRounds(contestants, Math.min(settings.rounds, 2));
    return { columns: COLUMNS, outcomes, setting: `sshd: one failure of each address, maxretry ${MAXRETRY}` };
  },
};

const COLUMNS = [
  { key: "idleMegabytes", label: "MB at rest", digits: 1, compared: true },
  { key: "addresses", label: "addresses", digits: 0 },
  { key: "megabytes", label: "MB with them", digits: 1 },
  { key: "peakMegabytes", label: "peak MB", digits: 1 },
  { key: "bytesEach", label: "bytes each", digits: 0, compared: true },
  { key: "seconds", label: "s to count them", digits: 2 },
] as const;

const service = "sshd";
const MAXRETRY = 5;
const LINES_A_SECOND = 10_000;

async function once(who: string, addresses: number): Promise<Figures> {
  const arena = await Arena.open(who, daemonNamed(who), { service, maxretry: MAXRETRY });
  try {
    arena.start();
    await arena.ready();
    await pause(1000);
    const idle = arena.memory().now;
    const spec = {
      service,
      lines: addresses,
      failures: 1,
      attackers: addresses,
      visits: "each",
      rate: LINES_A_SECOND,
      seed: 7,
    } as const;
    const started = performance.now();
    for (const block of generate(spec, Date.now())) appendFileSync(arena.log, block);
    await arena.counted(addresses, 600_000);
    const seconds = (performance.now() - started) / 1000;
    await pause(1000);
    verify(who, "bans", arena.watch.size, 0);
    const { now, peak } = arena.memory();
    return {
      idleMegabytes: idle / 1e6,
      addresses,
      megabytes: now / 1e6,
      peakMegabytes: peak / 1e6,
      bytesEach: (now - idle) / addresses,
      seconds,
    };
  } finally {
    arena.close();
  }
}
