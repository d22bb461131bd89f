import type { Duration } from "../core/time.ts";

/**
 * Looks again and again, at a bounded cost: after a look that took long, the next one waits.
 *
 *      look ▇──▇──▇▇▇▇▇▇────────────▇──      ─ `every`, or PAUSES times the last look
 */
export class Lookout {
  readonly #look: () => Promise<void>;
  #timer: NodeJS.Timeout | null = null;
  #every: Duration | null = null;

  constructor(look: () => Promise<void>) {
    this.#look = look;
  }

  start(every: Duration): void {
    this.#every = every;
    if (this.#timer === null) this.#wait(every);
  }

  stop(): void {
    this.#every = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #wait(pause: Duration): void {
    this.#timer = setTimeout(() => void this.#once(), pause).unref();
  }

  async #once(): Promise<void> {
    const began = performance.now();
    await this.#look();
    if (this.#every !== null) this.#wait(Math.max(this.#every, PAUSES * (performance.now() - began)));
  }
}

/** Looks take at most a fifth of the time, most of it in which programs such as iptables-save run. */
const PAUSES = 4;
