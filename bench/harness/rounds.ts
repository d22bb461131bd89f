import type { Figures, Outcome } from "./outcome.ts";

/** Something to be measured beside others. */
export interface Contestant {
  readonly who: string;
  /** Why it cannot run here, or null. */
  readonly missing: string | null;
  readonly note?: string;
  /** Runs of it at most; as many as the rounds unless set. */
  readonly most?: number;
  run(): Promise<Figures>;
}

/**
 * Runs all contestants in turn, round after round, every second round backwards, so that what the machine does beside
 * falls on all of them alike.
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
