/**
 * How many attempts are due, so that `rate` a second are made however irregularly one asks. What could not be made in time
 * is given up rather than made all at once: at most a tenth of a second's worth comes together.
 */
export class Pace {
  readonly #rate: number;
  #accounted = 0;
  #missed = 0;

  constructor(rate: number) {
    this.#rate = rate;
  }

  /** Attempts that were due and not made. */
  get missed(): number {
    return this.#missed;
  }

  /** `elapsed` in milliseconds since the begin; never answers more than `room`. */
  take(elapsed: number, room: number): number {
    const due = Math.floor((elapsed * this.#rate) / 1000) - this.#accounted;
    if (due <= 0) return 0;
    this.#accounted += due;
    const now = Math.min(due, room, Math.ceil(this.#rate / 10));
    this.#missed += due - now;
    return now;
  }
}
