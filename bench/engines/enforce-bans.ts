// Applies bans with one enforcer, as the reconciler does, and measures the time:
//
//   ip netns exec NAME node enforce-bans.mjs '{"target": {"name": "bench", "enforcer": "route", "type": "blackhole"}, "bans": 100000, "batch": 1000}'
//
// The addresses are 10.0.0.1 and up. The bans stay in the kernel to be counted from outside. Prints one line of JSON.

import { readFileSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { address, V4_MARK } from "../../src/core/address.ts";
import { hostPrefix } from "../../src/core/prefix.ts";
import { DAY } from "../../src/core/time.ts";
import type { Enforcement, Enforcer, TargetSpec } from "../../src/enforce/enforcer.ts";
import { IpsetEnforcer } from "../../src/enforce/ipset/enforcer.ts";
import { ProgramSets } from "../../src/enforce/ipset/program-sets.ts";
import { kindOf } from "../../src/enforce/kinds.ts";

/** The engine's task. */
export interface EnforceTask {
  readonly target: TargetSpec;
  readonly bans: number;
  /** Bans in one call. */
  readonly batch: number;
  /** True for ipset by the program ipset. */
  readonly program?: boolean;
}

export interface EnforceResult {
  readonly refused: number;
  readonly tookMs: number;
  /** Of this process and its descendants. */
  readonly cpuMs: number;
  /** Turns of the event loop meanwhile. */
  readonly longestTurnMs: number;
  /** The same for writing everything again, and its duration. */
  readonly anewMs: number;
  readonly anewTurnMs: number;
}

const task = JSON.parse(process.argv[2] ?? "") as EnforceTask;
const { target, bans: count, batch } = task;
const now = Date.now();
const bans = Array.from({ length: count }, (_, i): Enforcement => ({
  kind: "ban",
  prefix: hostPrefix(address(0, 0, V4_MARK, 0x0a00_0001 + i)),
  target: target.name,
  until: now + DAY,
}));
const enforcer: Enforcer =
  task.program === true
    ? new IpsetEnforcer({ openSets: () => new ProgramSets() })
    : await kindOf(target).open((sentence) => process.stderr.write(`${sentence}\n`));
await enforcer.open([target], (fact) => {
  throw new Error(fact);
});
let refused = 0;
const first = await watched(async () => {
  for (let from = 0; from < count; from += batch) {
    refused += (await enforcer.apply(bans.slice(from, from + batch), Date.now())).length;
    await nextTurn();
  }
});
const again = await watched(() => enforcer.replace(bans, Date.now()));
await enforcer.close({ flush: false });
const result: EnforceResult = {
  refused,
  tookMs: first.tookMs,
  cpuMs: first.cpuMs,
  longestTurnMs: first.turnMs,
  anewMs: again.tookMs,
  anewTurnMs: again.turnMs,
};
process.stdout.write(`${JSON.stringify(result)}\n`);

/** Runs work and reads the clock in every turn of the event loop. */
async function watched(work: () => Promise<unknown>) {
  let [turnMs, over] = [0, false];
  let clock = performance.now();
  const start = { clock, cpu: cpuMs() };
  const look = (): void => {
    const next = performance.now();
    turnMs = Math.max(turnMs, next - clock);
    clock = next;
    if (!over) setImmediate(look);
  };
  setImmediate(look);
  await work();
  const end = performance.now();
  over = true;
  return {
    tookMs: end - start.clock,
    cpuMs: cpuMs() - start.cpu,
    turnMs: Math.max(turnMs, end - clock),
  };
}

/** Includes children, which Node does not report: cutime and cstime of proc(5), in hundredths of a second. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  const fields = readFileSync("/proc/self/stat", "latin1").split(") ")[1]?.split(" ") ?? [];
  return (user + system) / 1000 + (Number(fields[13]) + Number(fields[14])) * 10;
}
