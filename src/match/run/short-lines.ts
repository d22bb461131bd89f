import type { CompiledTest } from "../filter/pattern.ts";

/**
 * Runs linear patterns on short lines with V8 while that is fast. V8's linear engine compiles first, so a line of 120 bytes that makes V8
 * fall back to it takes 40 µs instead of 0.2. Times about one try in 32; a pattern that is slow too often goes to the automaton for a
 * while, twice as long each time. The clock affects speed only, never an answer.
 */
export class ShortLines {
  readonly #suspects = new Map<CompiledTest, Suspect>();
  #resting = 0;
  #untilTimed = 1;

  /** The match; null for none; undefined while the pattern is left to the automaton. */
  exec(test: CompiledTest, text: string): RegExpExecArray | null | undefined {
    if (this.#resting > 0 && this.#isResting(test)) return undefined;
    if (--this.#untilTimed > 0) return test.regex.exec(text);
    // Random, so that an attacker cannot arrange that only fast lines are timed.
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
  /** Tries that the automaton still takes. */
  left: number;
  /** Tries that the automaton takes the next time. */
  rest: number;
}

const TIMED_ONE_IN = 32;

/** Ten times the most that the automaton takes for such a line. The first try of a pattern compiles it and may take as long. */
const SLOW_MILLISECONDS = 0.01;

/** A pattern goes to the automaton when more than one timed try in nine is slow, and at least three. */
const SLOW_SCORE = 8;
const GUILTY_SCORE = 20;
const FIRST_REST = 10_000;
