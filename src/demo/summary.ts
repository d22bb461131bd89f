import type { BanReply } from "../api/wire.ts";
import type { KernelCount } from "./guard.ts";
import { families, MAXRETRY, type Plan } from "./plan.ts";
import type { Phase, Second } from "./second.ts";

/** The summary, as `--json` prints it. */
export interface Summary {
  readonly attackers: KernelCount;
  readonly without: Outcome;
  readonly with: Outcome;
  /** Attempts that must get through before all attackers can be banned: maxretry of each. */
  readonly needed: number;
  /** Attempts that got through after those. */
  readonly late: number;
  readonly banned: number;
  /** From the start of the flood; null without bans. */
  readonly firstBanMs: number | null;
  readonly lastBanMs: number | null;
  /** From an attacker's last failure in the log to the daemon's decision; null without bans. */
  readonly reactionMs: { readonly median: number; readonly worst: number } | null;
  readonly daemon: {
    readonly startedInMs: number;
    readonly memoryBytes: number;
    readonly cpuPercent: number;
  };
  /** Bans in the kernel, counted by nft; null without nft. */
  readonly kernel: KernelCount | null;
}

export interface Outcome {
  readonly tried: number;
  readonly through: number;
  readonly throughPerSecond: number;
  readonly throughLastSecond: number;
  readonly missed: number;
  readonly users: number;
  readonly served: number;
}

export interface Findings {
  readonly startedInMs: number;
  /** The start of the second flood, in ms since the epoch. */
  readonly begun: number;
  /** The log since then. */
  readonly log: string;
  readonly bans: readonly BanReply[];
  readonly cpuMs: number;
  readonly memoryBytes: number;
  readonly kernel: KernelCount | null;
}

export function summarise(plan: Plan, phases: readonly [Phase, Phase], findings: Findings): Summary {
  const { begun, bans, startedInMs, memoryBytes, cpuMs, kernel } = findings;
  const [without, guarded] = phases;
  const failures = readFailures(findings.log);
  const since = bans.map((ban) => Math.max(0, Math.round(Date.parse(ban.since) - begun))).sort(ascending);
  return {
    attackers: families(plan),
    without: outcome(without.seconds),
    with: outcome(guarded.seconds),
    needed: plan.attackers * MAXRETRY,
    late: [...failures.values()].reduce((sum, { count }) => sum + Math.max(0, count - MAXRETRY), 0),
    banned: bans.length,
    firstBanMs: since[0] ?? null,
    lastBanMs: since.at(-1) ?? null,
    reactionMs: reaction(failures, bans),
    daemon: { startedInMs, memoryBytes, cpuPercent: Math.round(cpuMs / plan.seconds) / 10 },
    kernel,
  };
}

function outcome(seconds: readonly Second[]): Outcome {
  const sum = (of: (second: Second) => number): number =>
    seconds.reduce((total, second) => total + of(second), 0);
  const through = sum((second) => second.through);
  return {
    tried: sum((second) => second.tried),
    through,
    throughPerSecond: Math.round(through / Math.max(1, seconds.length)),
    throughLastSecond: seconds.at(-1)?.through ?? 0,
    missed: sum((second) => second.missed),
    users: sum((second) => second.users),
    served: sum((second) => second.served),
  };
}

interface Failures {
  readonly count: number;
  /** The time of the failure that reached maxretry; null before. */
  readonly decisive: number | null;
}

/** The failures of each address in the log. */
function readFailures(log: string): ReadonlyMap<string, Failures> {
  const failures = new Map<string, Failures>();
  for (const [, time = "", address = ""] of log.matchAll(FAILURE)) {
    const before = failures.get(address) ?? { count: 0, decisive: null };
    const count = before.count + 1;
    failures.set(address, { count, decisive: count === MAXRETRY ? Date.parse(time) : before.decisive });
  }
  return failures;
}

const FAILURE = /^(\S+) server sshd\[\d+\]: Failed password for \w+ from (\S+) port/gm;

function reaction(failures: ReadonlyMap<string, Failures>, bans: readonly BanReply[]): Summary["reactionMs"] {
  const times = bans
    .flatMap(({ address, since }) => {
      const decisive = failures.get(address)?.decisive ?? null;
      return decisive === null ? [] : [Math.max(0, Date.parse(since) - decisive)];
    })
    .sort(ascending);
  const median = times[Math.floor(times.length / 2)];
  const worst = times.at(-1);
  return median === undefined || worst === undefined ? null : { median, worst };
}

function ascending(a: number, b: number): number {
  return a - b;
}
