/**
 * Computes how many attempts are due at a rate, however irregular the calls. Late attempts are skipped, not made all at once: at most a
 * tenth of a second's worth comes together.
 */
export class Pace {
  readonly #rate: number;
  #accounted = 0;
  #missed = 0;

  constructor(rate: number) {
    this.#rate = rate;
  }

  /** Skipped attempts. */
  get missed(): number {
    return this.#missed;
  }

  /** `elapsed` in ms since the start; returns at most `room`. */
  take(elapsed: number, room: number): number {
    const due = Math.floor((elapsed * this.#rate) / 1000) - this.#accounted;
    if (due <= 0) return 0;
    this.#accounted += due;
    const now = Math.min(due, room, Math.ceil(this.#rate / 10));
    this.#missed += due - now;
    return now;
  }
}
