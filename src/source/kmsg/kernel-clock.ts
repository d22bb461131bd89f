import type { Instant } from "../../core/time.ts";

/**
 * Tells the wall-clock time of a record. The kernel stamps records with a clock of its own, which runs beside the monotonic
 * one but is not held to it: after weeks they are apart by seconds or minutes. A record that ends a pause was written just
 * now, and shows by how much.
 */
export class KernelClock {
  /** Microseconds by which the kernel's stamps lag behind the monotonic clock. */
  #lag = 0;

  /** `micros` of a record that was written at the moment `monotonic`, in microseconds too. */
  calibrate(micros: number, monotonic: number): void {
    this.#lag = monotonic - micros;
  }

  /** When a record was written; `now` and `monotonic` are the same moment. Never later than that. */
  at(micros: number, now: Instant, monotonic: number): Instant {
    return now - Math.max(0, monotonic - this.#lag - micros) / 1000;
  }
}
