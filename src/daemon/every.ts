import { isDue } from "../core/due.ts";
import type { Duration, Instant } from "../core/time.ts";

/** A deadline that returns once a period, first a period after the first call. Due at once when the clock was set back. */
export class Every {
  readonly #period: Duration;
  #next: Instant | null = null;

  constructor(period: Duration) {
    this.#period = period;
  }

  isDue(now: Instant): boolean {
    const next = this.#next;
    if (next !== null && !isDue(now, next, this.#period)) return false;
    this.#next = now + this.#period;
    return next !== null;
  }
}
