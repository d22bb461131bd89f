import type { Prefix } from "../../core/prefix.ts";
import { Banned } from "./banned.ts";

/**
 * Prefixes whose connections wait for the next pass, each once. When there are too many, the oldest is dropped: its connections are the
 * most likely to have ended.
 */
export class Waiting {
  readonly #most: number;
  #banned = new Banned();
  /** A ring, oldest at `#first`. */
  #order: Prefix[] = [];
  #first = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#banned.size;
  }

  /** Answers whether another prefix was dropped. */
  add(prefix: Prefix): boolean {
    if (!this.#banned.add(prefix)) return false;
    if (this.#order.length < this.#most) {
      this.#order.push(prefix);
      return false;
    }
    this.#banned.delete(this.#order[this.#first]!);
    this.#order[this.#first] = prefix;
    this.#first = (this.#first + 1) % this.#most;
    return true;
  }

  /** Takes all of them. */
  take(): Banned {
    const taken = this.#banned;
    this.#banned = new Banned();
    this.#order = [];
    this.#first = 0;
    return taken;
  }
}
