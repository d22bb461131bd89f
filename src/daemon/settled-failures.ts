import type { Book } from "../book/book.ts";
import { type Address, sameAddress } from "../core/address.ts";
import type { Instant } from "../core/time.ts";
import type { Settling } from "../match/banned/settled.ts";
import { bannedSince } from "../book/banned-since.ts";
import type { RunningJail } from "./pipeline.ts";

/**
 * Failures of addresses that all jails concerned have banned: counted by address alone, so that the matcher need not look at
 * their lines. Every 64th is looked at nevertheless, by which the time of the lines, and so the lag, stays known; the others
 * are taken to be as old.
 */
export class SettledFailures implements Settling {
  readonly #book: Book;
  #jails: readonly (readonly RunningJail[])[] = [];
  #now: Instant = 0;
  #lag: number | null = null;
  #asked = 0;

  /** The last answer, good as long as the book stays as it is: a flood by one address asks for nothing else. */
  #filter = -1;
  #host: Address | null = null;
  #answer = false;
  #change = -1;
  /** For each jail of the filter, since when the host is banned. */
  #since: Instant[] = [];

  constructor(book: Book) {
    this.#book = book;
  }

  /** Before each batch: whose failures these are, what time it is, and how old lines are. */
  begin(jails: readonly (readonly RunningJail[])[], now: Instant, lag: number | null): void {
    this.#jails = jails;
    this.#now = now;
    this.#lag = lag;
    this.#filter = -1;
  }

  isSettled(filter: number, host: Address): boolean {
    if ((++this.#asked & EVERY_64TH) === 0) return false;
    const change = this.#book.feed.last;
    const isSame = filter === this.#filter && change === this.#change && this.#host !== null;
    if (isSame && sameAddress(host, this.#host as Address)) return this.#answer;
    this.#filter = filter;
    this.#host = host;
    this.#change = change;
    this.#answer = this.#ask(filter, host);
    return this.#answer;
  }

  passOver(filter: number, host: Address): void {
    const jails = this.#jails[filter] ?? [];
    const at = this.#lag === null ? null : this.#now - this.#lag;
    for (let i = 0; i < jails.length; i++)
      jails[i]?.jail.passOver(host, at, this.#since[i] ?? this.#now, 1, this.#now);
  }

  #ask(filter: number, host: Address): boolean {
    const jails = this.#jails[filter] ?? [];
    for (let i = 0; i < jails.length; i++) {
      const since = bannedSince(this.#book, host, (jails[i] as RunningJail).lastTargets, this.#now);
      if (since < 0) return false;
      this.#since[i] = since;
    }
    return jails.length > 0;
  }
}

const EVERY_64TH = 63;
