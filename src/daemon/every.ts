import type { Duration, Instant } from "../core/time.ts";

/** A deadline that comes back once a period. The first period starts at the first call; a clock that was set back starts a new one. */
export class Every {
  readonly #period: Duration;
  #next: Instant | null = null;

  constructor(period: Duration) {
    this.#period = period;
  }

  isDue(now: Instant): boolean {
    const next = this.#next;
    if (next !== null && now < next && now >= next - this.#period) return false;
    this.#next = now + this.#period;
    return next !== null;
  }
}
