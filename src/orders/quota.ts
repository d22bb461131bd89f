import { type Duration, type Instant, MINUTE, SECOND } from "../core/time.ts";

/** How many orders came in the second, and in the minute, that began with the first of them. */
export class Quota {
  readonly #second = new Window(SECOND);
  readonly #minute = new Window(MINUTE);

  /** Counts one more. */
  count(now: Instant): { readonly inSecond: number; readonly inMinute: number } {
    return { inSecond: this.#second.count(now), inMinute: this.#minute.count(now) };
  }
}

class Window {
  readonly #length: Duration;
  #start: Instant = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(length: Duration) {
    this.#length = length;
  }

  count(now: Instant): number {
    if (now < this.#start || now - this.#start >= this.#length) {
      this.#start = now;
      this.#count = 0;
    }
    return ++this.#count;
  }
}
