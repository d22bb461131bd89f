import type { Duration, Instant } from "../core/time.ts";
import { counter, declareMetrics } from "../core/metrics.ts";

/** Lets `most` sentences through in each period and counts the rest: an attacker must not fill the log, and nothing is lost silently. */
export class RateLimit {
  readonly #most: number;
  readonly #period: Duration;
  #start = Number.NEGATIVE_INFINITY;
  #said = 0;
  #held = 0;
  #heldInAll = 0;

  constructor(most: number, period: Duration) {
    this.#most = most;
    this.#period = period;
  }

  /** Sentences held back so far. */
  get held(): number {
    return this.#heldInAll;
  }

  /** Whether this one may be logged. */
  allow(now: Instant): boolean {
    if (now - this.#start >= this.#period || now < this.#start) {
      this.#start = now;
      this.#said = 0;
    }
    if (this.#said < this.#most) {
      this.#said++;
      return true;
    }
    this.#held++;
    this.#heldInAll++;
    return false;
  }

  /** How many were held back since the last call. */
  takeHeld(): number {
    const held = this.#held;
    this.#held = 0;
    return held;
  }
}

declareMetrics(
  { at: "log" },
  {
    held: counter(
      "stoplog_log_warnings_held_total",
      "Warnings that were counted instead of logged: too many came.",
    ),
  },
);
