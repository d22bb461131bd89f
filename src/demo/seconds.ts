import type { Outcome } from "./attempt.ts";

/** What came of the attempts that began in one second. */
export type Count = Record<"tried" | Outcome, number>;

/** Attempts by the second in which they began, however late they end: nothing is counted twice or not at all. */
export class Seconds {
  readonly #counts = new Map<number, Count>();

  /** An attempt begins in a second, from 1 on; answers whom to tell its outcome. */
  begin(second: number): (outcome: Outcome) => void {
    const count = this.#count(second);
    count.tried++;
    return (outcome) => {
      count[outcome]++;
    };
  }

  /** Forgets a second and answers what came of it; null as long as attempts are under way. */
  take(second: number): Count | null {
    const count = this.#count(second);
    if (count.welcome + count.refused + count.unanswered + count.failed < count.tried) return null;
    this.#counts.delete(second);
    return count;
  }

  #count(second: number): Count {
    const known = this.#counts.get(second);
    if (known !== undefined) return known;
    const count = { tried: 0, welcome: 0, refused: 0, unanswered: 0, failed: 0 };
    this.#counts.set(second, count);
    return count;
  }
}
