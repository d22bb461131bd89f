import type { BudgetDefinition } from "../definition.ts";
import { Cgroup } from "../harness/cgroup.ts";
import { type Figures, WrongResult } from "../harness/outcome.ts";
import { type Contestant, runRounds } from "../harness/rounds.ts";
import { quantile } from "../harness/statistics.ts";
import { writeLines } from "../harness/writer.ts";
import { Arena } from "../rivals/daemon.ts";
import { daemonNamed } from "../rivals/daemons.ts";
import type { Workload } from "./workload.ts";

/** A small computer's share of this machine, and the log of a SYN flood. The writer and the watch run outside the budget. */
export const budget: Workload<BudgetDefinition> = {
  async run(definition, settings) {
    const seconds = settings.quick ? 20 : definition.seconds;
    const contestants = definition.rivals.map(({ name }): Contestant => {
      const daemon = daemonNamed(name);
      return {
        who: name,
        missing: daemon.missing() ?? noBudget(definition),
        note: daemon.note,
        run: () => once(definition, name, seconds),
      };
    });
    const { cpu, memoryMegabytes, linesPerSecond, maxretry } = definition;
    const outcomes = await runRounds(contestants, settings.full ? Math.min(settings.rounds, 3) : 1);
    return {
      columns: COLUMNS,
      outcomes,
      setting: `kernel: ${linesPerSecond} lines/s for ${seconds} s, each address ${maxretry + AFTER_BAN} times, maxretry ${maxretry}; ${cpu * 100} % of a core, ${memoryMegabytes} MB`,
    };
  },
};

const COLUMNS = [
  { key: "p50Ms", label: "lag ms p50", digits: 1, compared: true },
  { key: "p99Ms", label: "p99", digits: 1, compared: true },
  { key: "worstMs", label: "worst", digits: 1 },
  { key: "due", label: "to ban", digits: 0 },
  { key: "banned", label: "banned", digits: 0 },
  { key: "budgetPercent", label: "% of the budget", digits: 1 },
  { key: "stalledPercent", label: "% of periods stalled", digits: 1 },
  { key: "peakMegabytes", label: "peak MB", digits: 1 },
] as const;

const service = "kernel";
/** Packets after the decisive one. */
const AFTER_BAN = 5;
/** Periods of 20 ms, the control group's. */
const PERIODS_A_SECOND = 50;
/** Time to wait for late bans, in ms. */
const PATIENCE_MS = 10_000;

function noBudget(definition: BudgetDefinition): string | null {
  const group = Cgroup.open(budgetOf(definition));
  if (group === null) return "control groups with CPU and memory controllers cannot be made here";
  group.close();
  return null;
}

function budgetOf({ cpu, memoryMegabytes }: BudgetDefinition): { cpu: number; memoryBytes: number } {
  return { cpu, memoryBytes: memoryMegabytes << 20 };
}

async function once(definition: BudgetDefinition, who: string, seconds: number): Promise<Figures> {
  const { maxretry, linesPerSecond, cpu } = definition;
  const arena = await Arena.open(who, daemonNamed(who), { service, maxretry, budget: budgetOf(definition) });
  try {
    arena.start();
    await arena.ready();
    const before = { cpu: arena.cpuMs(), ...arena.throttled() };
    const written = await writeLines({
      path: arena.log,
      service,
      linesPerSecond,
      seconds,
      failuresEach: maxretry + AFTER_BAN,
      maxretry,
      probeEveryMs: null,
    });
    const after = { cpu: arena.cpuMs(), ...arena.throttled() };
    await arena.watch.until(written.decisive.length, PATIENCE_MS);
    arena.assertAlive();
    const waits = written.decisive.flatMap(([address, at]) => {
      const banned = arena.watch.bannedAt(address);
      return banned === undefined ? [] : [Number(banned - BigInt(at)) / 1e6];
    });
    if (waits.some((wait) => wait < 0))
      throw new WrongResult(`${who} has banned an address before it had failed`);
    if (arena.watch.size > written.addresses)
      throw new WrongResult(`${who} has banned addresses that never failed`);
    const none = waits.length === 0;
    return {
      p50Ms: none ? null : quantile(waits, 0.5),
      p99Ms: none ? null : quantile(waits, 0.99),
      worstMs: none ? null : Math.max(...waits),
      due: written.decisive.length,
      banned: waits.length,
      budgetPercent: ((after.cpu - before.cpu) / (seconds * 1000 * cpu)) * 100,
      stalledPercent: ((after.stalled - before.stalled) / (seconds * PERIODS_A_SECOND)) * 100,
      peakMegabytes: arena.memory().peak / 1e6,
    };
  } finally {
    arena.close();
  }
}
