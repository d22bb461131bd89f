import type { CompiledTest } from "../filter/pattern.ts";

/**
 * Lets V8 run linear patterns on short lines, as long as it is fast. Its linear engine begins with a compilation, so that a line of 120
 * bytes may take 40 µs where others take 0.2. About one try in 32 is timed; a pattern that is slow too often is left to the
 * automaton for a while, twice as long each time. The clock decides about speed here, never about an answer.
 */
export class ShortLines {
  readonly #suspects = new Map<CompiledTest, Suspect>();
  #resting = 0;
  #untilTimed = 1;

  /** What the pattern answers, or undefined while V8 is too slow for it. */
  exec(test: CompiledTest, text: string): RegExpExecArray | null | undefined {
    if (this.#resting > 0 && this.#isResting(test)) return undefined;
    if (--this.#untilTimed > 0) return test.regex.exec(text);
    // No fixed step: whoever writes the lines could see to it that only innocent ones are timed.
    this.#untilTimed = 1 + Math.floor(Math.random() * 2 * TIMED_ONE_IN);
    const before = performance.now();
    const match = test.regex.exec(text);
    this.#note(test, performance.now() - before > SLOW_MILLISECONDS);
    return match;
  }

  #note(test: CompiledTest, isSlow: boolean): void {
    let suspect = this.#suspects.get(test);
    if (suspect === undefined) {
      if (!isSlow) return;
      suspect = { score: 0, left: 0, rest: FIRST_REST };
      this.#suspects.set(test, suspect);
    }
    suspect.score = isSlow ? suspect.score + SLOW_SCORE : Math.max(0, suspect.score - 1);
    if (suspect.score < GUILTY_SCORE) return;
    this.#resting++;
    suspect.score = 0;
    suspect.left = suspect.rest;
    suspect.rest *= 2;
  }

  #isResting(test: CompiledTest): boolean {
    const suspect = this.#suspects.get(test);
    if (suspect === undefined || suspect.left === 0) return false;
    if (--suspect.left === 0) this.#resting--;
    return true;
  }
}

interface Suspect {
  score: number;
  /** Tries for which it is still left to the automaton. */
  left: number;
  /** How many these will be the next time. */
  rest: number;
}

const TIMED_ONE_IN = 32;

/** Ten times what the automaton takes at most for such a line. The first try of a pattern, which compiles it, may be that slow too. */
const SLOW_MILLISECONDS = 0.01;

/** Guilty if more than one try in nine is slow, three at least. */
const SLOW_SCORE = 8;
const GUILTY_SCORE = 20;
const FIRST_REST = 10_000;
