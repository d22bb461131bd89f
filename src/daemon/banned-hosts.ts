import type { Book } from "../book/book.ts";
import { type Address, sameAddress } from "../core/address.ts";
import type { Instant } from "../core/time.ts";
import type { BannedHosts } from "../match/banned/banned-search.ts";
import { bannedSince } from "../book/banned-since.ts";
import type { RunningJail, SeenBanned } from "./pipeline.ts";
import { isBanRefused, type Refusals } from "./refusals.ts";

/**
 * Failures from addresses that every jail of the filter has banned: counted by address alone, without matching the line. Every 64th line is
 * matched all the same and gives the lag of the source, which then holds for the others.
 */
export class BookedBans implements BannedHosts {
  readonly #book: Book;
  readonly #refused: Refusals | undefined;
  #jails: readonly (readonly RunningJail[])[] = [];
  #now: Instant = 0;
  #lag: number | null = null;
  #asked = 0;

  /** The last answer, valid until the book changes: in a flood from one address every question is the same. */
  #filter = -1;
  #host: Address | null = null;
  #answer = false;
  #change = -1;
  /** Start of the host's ban, for each jail of the filter. */
  #since: Instant[] = [];
  /** Whether the ban of the last answer is not enforced, for each jail of the filter. */
  #isRefused: boolean[] = [];

  readonly #seenBanned: SeenBanned;

  constructor({
    book,
    refused,
    seenBanned = () => undefined,
  }: {
    readonly book: Book;
    readonly refused?: Refusals | undefined;
    readonly seenBanned?: SeenBanned | undefined;
  }) {
    this.#book = book;
    this.#refused = refused;
    this.#seenBanned = seenBanned;
  }

  /** Starts a batch: the jails by filter, the time, and the lag of the source. */
  begin(jails: readonly (readonly RunningJail[])[], now: Instant, lag: number | null): void {
    this.#jails = jails;
    this.#now = now;
    this.#lag = lag;
    this.#filter = -1;
  }

  isBanned(filter: number, host: Address): boolean {
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

  skipped(filter: number, host: Address): void {
    const jails = this.#jails[filter] ?? [];
    const at = this.#lag === null ? null : this.#now - this.#lag;
    for (let i = 0; i < jails.length; i++) {
      const jail = jails[i]?.jail;
      if (this.#isRefused[i] === true) jail?.passUnenforced({ address: host, at, count: 1 }, this.#now);
      else jail?.passOver(host, at, this.#since[i] ?? this.#now, 1, this.#now);
      this.#seenBanned(host, jails[i]?.lastTargets ?? []);
    }
  }

  #ask(filter: number, host: Address): boolean {
    const jails = this.#jails[filter] ?? [];
    for (let i = 0; i < jails.length; i++) {
      const targets = (jails[i] as RunningJail).lastTargets;
      const since = bannedSince(this.#book, host, targets, this.#now);
      if (since < 0) return false;
      this.#since[i] = since;
      this.#isRefused[i] = isBanRefused(this.#refused, { book: this.#book, targets, now: this.#now }, host);
    }
    return jails.length > 0;
  }
}

const EVERY_64TH = 63;
