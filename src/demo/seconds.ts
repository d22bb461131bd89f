import type { Outcome } from "./attempt.ts";

/** The attempts that began in one second, by outcome. */
export type Count = Record<"tried" | Outcome, number>;

/** Counts each attempt in the second in which it began, however late it ends. */
export class Seconds {
  readonly #counts = new Map<number, Count>();

  /** Counts an attempt that begins in a second, from 1; returns the callback for its outcome. */
  begin(second: number): (outcome: Outcome) => void {
    const count = this.#count(second);
    count.tried++;
    return (outcome) => {
      count[outcome]++;
    };
  }

  /** Removes a second and returns its counts; null while some of its attempts are open. */
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
