import type { Figures, Outcome } from "./outcome.ts";

/** A program to measure. */
export interface Contestant {
  readonly who: string;
  /** Why it cannot run here, or null. */
  readonly missing: string | null;
  readonly note?: string;
  /** At most this many runs; one for each round by default. */
  readonly most?: number;
  run(): Promise<Figures>;
}

/**
 * Runs all contestants in turn, every second round backwards, so that the machine's other work
 * affects all of them equally.
 */
export async function runRounds(
  contestants: readonly Contestant[],
  rounds: number,
): Promise<readonly Outcome[]> {
  const runs = new Map<Contestant, Figures[]>(contestants.map((each) => [each, []]));
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? contestants : contestants.toReversed();
    for (const each of order) {
      const done = runs.get(each)!;
      if (each.missing !== null || done.length >= (each.most ?? rounds)) continue;
      process.stderr.write(`  round ${round + 1}/${rounds}: ${each.who} …\n`);
      done.push(await each.run());
    }
  }
  return contestants.map((each): Outcome => {
    if (each.missing !== null) return { kind: "missing", who: each.who, why: each.missing };
    const note = each.note === undefined ? {} : { note: each.note };
    return { kind: "measured", who: each.who, runs: runs.get(each)!, ...note };
  });
}
