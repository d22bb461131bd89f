import { type Duration, type Instant, MINUTE, SECOND } from "../core/time.ts";

/** Counts orders in windows of a second and of a minute; a window begins with its first order. */
export class Quota {
  readonly #second = new Window(SECOND);
  readonly #minute = new Window(MINUTE);

  /** Counts an order. */
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
