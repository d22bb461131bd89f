import type { Instant } from "../../core/time.ts";

/**
 * Converts a record's timestamp to wall-clock time. The kernel stamps records with a local clock that is not synchronised with
 * the monotonic clock: after weeks they differ by seconds or minutes. A record that ends a pause was written just now, so it
 * shows the difference.
 */
export class KernelClock {
  /** How far the kernel's timestamps lag behind the monotonic clock, in µs. */
  #lag = 0;

  /** `micros` is the timestamp of a record that was written at the time `monotonic`, both in µs. */
  calibrate(micros: number, monotonic: number): void {
    this.#lag = monotonic - micros;
  }

  /** When a record was written, at most `now`. `now` and `monotonic` must be the same moment. */
  at(micros: number, now: Instant, monotonic: number): Instant {
    return now - Math.max(0, monotonic - this.#lag - micros) / 1000;
  }
}
