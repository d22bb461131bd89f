import type { Address } from "../core/address.ts";
import type { Ban, LiftedBy } from "../core/ban.ts";
import { ExpiryWheel } from "../core/expiry-wheel.ts";
import { PrefixMap } from "../core/prefix-map.ts";
import type { Prefix } from "../core/prefix.ts";
import { FOREVER, type Instant, SECOND } from "../core/time.ts";
import { Feed } from "./feed.ts";

export interface BookOptions {
  /** Bans at the same time; beyond, the one that ends first makes room. */
  readonly capacity: number;
  /** Changes the feed remembers for its readers. */
  readonly changes: number;
}

export type BanOutcome =
  | { readonly kind: "banned" }
  /** The same prefix was banned at the target for less long: it now ends later. */
  | { readonly kind: "prolonged" }
  | { readonly kind: "unchanged"; readonly standing: Ban }
  /** Full of bans without end. */
  | { readonly kind: "full" };

/**
 * The one truth about who is banned. A ban is known by its prefix and target; at most one each stands. Every change is
 * numbered in `feed`, which is how the kernel, the store, peers and pages learn of it. The book does not look at the
 * clock: a ban is over for `standing` the moment its time is up, and leaves the book at the next `expire`.
 */
export class Book {
  readonly feed: Feed;
  readonly #capacity: number;
  readonly #bans = new PrefixMap<readonly Ban[]>();
  readonly #wheel = new ExpiryWheel<Ban>(SECOND);
  #size = 0;
  #evicted = 0;

  constructor({ capacity, changes }: BookOptions) {
    this.#capacity = capacity;
    this.feed = new Feed(changes);
  }

  get size(): number {
    return this.#size;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Bans lifted early because the book was full. */
  get evicted(): number {
    return this.#evicted;
  }

  ban(ban: Ban): BanOutcome {
    const there = this.#bans.get(ban.prefix) ?? [];
    const standing = there.find((other) => other.target === ban.target);
    if (standing !== undefined && standing.until > ban.since) return this.#prolong(standing, ban);
    if (standing !== undefined) this.#lift(standing, "expiry");
    if (this.#size >= this.#capacity && !this.#evictOne()) return { kind: "full" };
    this.#enter(ban);
    this.feed.append({ kind: "ban", ban });
    return { kind: "banned" };
  }

  /** Lifts the bans of exactly this prefix at all targets, or at one; answers those that stood. */
  lift(prefix: Prefix, by: LiftedBy, target?: string): readonly Ban[] {
    const there = (this.#bans.get(prefix) ?? []).filter((ban) => target === undefined || ban.target === target);
    for (const ban of there) this.#lift(ban, by);
    return there;
  }

  /** The ban that keeps an address out at a target (any, unless one is named), most special prefix first. */
  standing(a: Address, now: Instant, target?: string): Ban | null {
    const isStanding = (ban: Ban): boolean => ban.until > now && (target === undefined || ban.target === target);
    return this.#bans.find(a, (bans) => bans.some(isStanding))?.find(isStanding) ?? null;
  }

  /** The bans of exactly this prefix. */
  of(prefix: Prefix): readonly Ban[] {
    return this.#bans.get(prefix) ?? [];
  }

  /** Takes out up to `limit` bans whose time is up, and says so in the feed; answers how many. */
  expire(now: Instant, limit: number): number {
    const due = this.#wheel.due(now, limit);
    for (const ban of due) if (this.#isCurrent(ban)) this.#lift(ban, "expiry");
    return due.length;
  }

  *bans(): Generator<Ban> {
    for (const bans of this.#bans.values()) yield* bans;
  }

  #prolong(standing: Ban, ban: Ban): BanOutcome {
    if (ban.until <= standing.until) return { kind: "unchanged", standing };
    const longer: Ban = { ...ban, since: standing.since };
    this.#leave(standing);
    this.#enter(longer);
    this.feed.append({ kind: "prolong", ban: longer });
    return { kind: "prolonged" };
  }

  #enter(ban: Ban): void {
    this.#bans.set(ban.prefix, [...(this.#bans.get(ban.prefix) ?? []), ban]);
    this.#size++;
    if (ban.until !== FOREVER) this.#wheel.add(ban, ban.until);
  }

  #leave(ban: Ban): void {
    const rest = (this.#bans.get(ban.prefix) ?? []).filter((other) => other !== ban);
    if (rest.length === 0) this.#bans.delete(ban.prefix);
    else this.#bans.set(ban.prefix, rest);
    this.#size--;
  }

  #lift(ban: Ban, by: LiftedBy): void {
    this.#leave(ban);
    this.feed.append({ kind: "lift", ban, by });
  }

  #isCurrent(ban: Ban): boolean {
    return (this.#bans.get(ban.prefix) ?? []).includes(ban);
  }

  /** The ban that ends first makes room for a new one: its attacker has been away the longest. */
  #evictOne(): boolean {
    for (let ban = this.#wheel.first(); ban !== undefined; ban = this.#wheel.first()) {
      if (!this.#isCurrent(ban)) continue;
      this.#lift(ban, "full");
      this.#evicted++;
      return true;
    }
    return false;
  }
}
