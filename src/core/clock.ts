import type { Instant } from "./time.ts";

/** The time of day. Only the outermost code has a clock; all other code is passed the time. */
export interface Clock {
  readonly now: () => Instant;
}

export const systemClock: Clock = { now: () => Date.now() };

/** A clock that is set by hand, for tests and replay. */
export class ManualClock implements Clock {
  #now: Instant;

  constructor(now: Instant) {
    this.#now = now;
  }

  now(): Instant {
    return this.#now;
  }

  set(now: Instant): void {
    this.#now = now;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }
}
