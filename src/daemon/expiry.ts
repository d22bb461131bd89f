import type { Book } from "../book/book.ts";
import type { Instant } from "../core/time.ts";
import type { Feature } from "./feature.ts";
import type { Jails } from "./jails.ts";
import { Sweeps } from "./sweeps.ts";

/** Removes what has expired, once a second: bans, counters, offences and trust. */
export class Expiry implements Feature {
  readonly name = "expiry";
  readonly #book: Book;
  readonly #jails: Jails;
  readonly #sweeps = new Sweeps();

  constructor(book: Book, jails: Jails) {
    this.#book = book;
    this.#jails = jails;
  }

  tick(now: Instant): void {
    const { all, trusted } = this.#jails;
    this.#sweeps.start([
      (limit) => this.#book.expire(now, limit),
      ...all.flatMap(({ jail }) => [
        (limit: number) => jail.counting.sweep(now, limit),
        (limit: number) => jail.offences.sweep(now, limit),
      ]),
      (limit) => trusted.sweep(now, limit),
    ]);
  }
}
