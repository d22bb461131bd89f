import { closeSync, openSync, readSync, statSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { StoplogError } from "../core/errors.ts";
import type { FloodSecond } from "./attackers.ts";
import { Guard } from "./guard.ts";
import type { Plan } from "./plan.ts";
import { Player } from "./player.ts";
import type { Phase, Second } from "./second.ts";
import { Stage } from "./stage.ts";
import { summarise, type Summary } from "./summary.ts";
import type { UsersSecond } from "./users.ts";

/** What happens, in order. */
export type DemoEvent =
  | { readonly kind: "phase"; readonly stoplog: false }
  | { readonly kind: "phase"; readonly stoplog: true; readonly startedInMs: number }
  | { readonly kind: "second"; readonly second: Second }
  | { readonly kind: "end"; readonly phases: readonly Phase[]; readonly summary: Summary };

/**
 * The same flood twice, without and with Stoplog. Cleans up at the end, also when the caller stops iterating, on an error, and when
 * `signal` aborts.
 */
export async function* direct(plan: Plan, signal: AbortSignal): AsyncGenerator<DemoEvent, void> {
  const stage = await Stage.build(plan);
  const interrupt = (): void => void stage.endAll();
  try {
    signal.addEventListener("abort", interrupt);
    if (!signal.aborted) yield* play(plan, stage);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener("abort", interrupt);
    await stage.strike();
  }
  if (signal.aborted) throw new StoplogError("Cannot finish the demo: interrupted; it has cleaned up");
}

async function* play(plan: Plan, stage: Stage): AsyncGenerator<DemoEvent, void> {
  const log = stage.file("auth.log");
  const host = plan.ipv6 ? "::" : "0.0.0.0";
  await Player.ready(stage, "server", { role: "service", log, host });

  yield { kind: "phase", stoplog: false };
  const without: Second[] = [];
  const unhindered = await Flood.ready(plan, stage);
  for await (const second of unhindered.seconds(null)) {
    without.push(second);
    yield { kind: "second", second };
  }

  const flood = await Flood.ready(plan, stage);
  const asked = performance.now();
  const guard = await Guard.start(stage, log);
  const startedInMs = Math.round(performance.now() - asked);
  yield { kind: "phase", stoplog: true, startedInMs };
  const logSize = statSync(log).size;
  const cpuBefore = guard.cpuTime();
  const guarded: Second[] = [];
  for await (const second of flood.seconds(guard)) {
    guarded.push(second);
    yield { kind: "second", second };
  }

  const phases = [
    { stoplog: false, seconds: without },
    { stoplog: true, seconds: guarded },
  ] as const;
  const summary = summarise(plan, phases, {
    startedInMs,
    begun: flood.start,
    log: readFrom(log, logSize),
    bans: await guard.bans(),
    cpuMs: guard.cpuTime() - cpuBefore,
    memoryBytes: guard.peakMemory(),
    kernel: await guard.kernelCount(),
  });
  yield { kind: "end", phases, summary };
}

/** Attackers and users, who start at the same moment. */
class Flood {
  readonly #plan: Plan;
  readonly #attackers: Player;
  readonly #users: Player;
  #start = 0;

  private constructor(plan: Plan, attackers: Player, users: Player) {
    this.#plan = plan;
    this.#attackers = attackers;
    this.#users = users;
  }

  static async ready(plan: Plan, stage: Stage): Promise<Flood> {
    const [attackers, users] = await Promise.all([
      Player.ready(stage, "internet", { role: "attackers", plan }),
      Player.ready(stage, "internet", { role: "users", seconds: plan.seconds }),
    ]);
    return new Flood(plan, attackers, users);
  }

  /** The start, in ms since the epoch. */
  get start(): number {
    return this.#start;
  }

  /** Starts, and yields each second when its attempts have ended. */
  async *seconds(guard: Guard | null): AsyncGenerator<Second, void> {
    this.#start = clock() + LEAD;
    this.#attackers.begin(this.#start);
    this.#users.begin(this.#start);
    await until(this.#start);
    const watch = guard === null ? null : new Watch(guard);
    for (let second = 1; second <= this.#plan.seconds; second++) {
      await until(this.#start + second * 1000);
      const seen = (await watch?.look()) ?? { bans: null, daemonCpuPercent: null };
      const [attackers, users] = await Promise.all([
        this.#attackers.report<FloodSecond>(),
        this.#users.report<UsersSecond>(),
      ]);
      yield { ...attackers, ...users, ...seen };
    }
  }
}

/** Samples the daemon once a second. */
class Watch {
  readonly #guard: Guard;
  #last: { readonly at: number; readonly cpu: number };

  constructor(guard: Guard) {
    this.#guard = guard;
    this.#last = { at: clock(), cpu: guard.cpuTime() };
  }

  async look(): Promise<Pick<Second, "bans" | "daemonCpuPercent">> {
    const now = { at: clock(), cpu: this.#guard.cpuTime() };
    const share = (now.cpu - this.#last.cpu) / Math.max(1, now.at - this.#last.at);
    this.#last = now;
    return { bans: await this.#guard.banCount(), daemonCpuPercent: Math.round(share * 1000) / 10 };
  }
}

/** In ms since the epoch, by a clock that does not jump. */
function clock(): number {
  return performance.timeOrigin + performance.now();
}

async function until(time: number): Promise<void> {
  await sleep(Math.max(0, time - clock()));
}

/** In ms: time for the start to reach all parts. */
const LEAD = 100;

/** How much of the log is read back, in bytes: it holds what got through against Stoplog, which should be little. */
const MOST_LOG = 16 * 1024 * 1024;

function readFrom(path: string, offset: number): string {
  const length = Math.min(statSync(path).size - offset, MOST_LOG);
  const bytes = Buffer.alloc(length);
  const file = openSync(path, "r");
  try {
    return bytes.toString("latin1", 0, readSync(file, bytes, 0, length, offset));
  } finally {
    closeSync(file);
  }
}
