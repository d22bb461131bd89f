import type { Address } from "../core/address.ts";
import type { Ban, UnbannedBy } from "../core/ban.ts";
import { PrefixMap } from "../core/prefix-map.ts";
import type { Prefix } from "../core/prefix.ts";
import { FOREVER, type Instant } from "../core/time.ts";
import { BanTable } from "./ban-table.ts";
import { Feed } from "./feed.ts";
import { counter, declareMetrics, gauge } from "../core/metrics.ts";

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
 *
 *      prefix ─► slot of its first ban ─► slot of its ban at another target ─► -1
 */
export class Book {
  readonly feed: Feed;
  readonly #capacity: number;
  readonly #table: BanTable;
  readonly #chains = new PrefixMap<number>();
  readonly #byJail = new Map<string, number>();
  readonly #byOrigin = new Map<string, number>();
  #evicted = 0;
  #refused = 0;
  /** What a search asks for, and what it has found: it is made for each packet, and makes nothing. */
  readonly #wanted: { now: Instant; target: string | undefined; slot: number } = {
    now: 0,
    target: undefined,
    slot: -1,
  };
  readonly #isWanted = (first: number): boolean => {
    const wanted = this.#wanted;
    wanted.slot = this.#standingIn(first, wanted.now, wanted.target);
    return wanted.slot >= 0;
  };

  constructor({ capacity, changes }: BookOptions) {
    this.#capacity = capacity;
    this.#table = new BanTable(capacity);
    this.feed = new Feed(changes);
  }

  get size(): number {
    return this.#table.size;
  }

  get capacity(): number {
    return this.#capacity;
  }

  /** Bans lifted early because the book was full. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Bans that found no room: all that were there are permanent. */
  get refused(): number {
    return this.#refused;
  }

  /** How many bans a jail has in the book. */
  bansOf(jail: string): number {
    return this.#byJail.get(jail) ?? 0;
  }

  /** How many bans in the book somebody has ordered. */
  bansFrom(origin: string): number {
    return this.#byOrigin.get(origin) ?? 0;
  }

  /** The ban of exactly this prefix at a target, if it stands. */
  at(prefix: Prefix, target: string, now: Instant): Ban | null {
    const slot = this.#inChain(this.#firstOf(prefix), target);
    return slot >= 0 && this.#table.untilOf(slot) > now ? this.#table.at(slot) : null;
  }

  ban(ban: Ban): BanOutcome {
    let first = this.#firstOf(ban.prefix);
    const slot = this.#inChain(first, ban.target);
    if (slot >= 0 && this.#table.untilOf(slot) > ban.since) return this.#prolong(slot, ban);
    if (slot >= 0 || this.size >= this.#capacity) {
      if (slot >= 0) this.#lift(slot, "expiry");
      else if (!this.#makeRoom()) {
        this.#refused++;
        return FULL;
      }
      // What was taken out may have been of this prefix.
      first = this.#firstOf(ban.prefix);
    }
    this.#enter(ban, first);
    this.feed.append({ kind: "ban", ban });
    return BANNED;
  }

  /**
   * Enters a ban that a run before has written down, in the place of what it wrote before of the same prefix and target. The
   * feed does not tell: whoever reads it takes the whole book first.
   */
  restore(ban: Ban): void {
    this.unrestore(ban);
    if (this.size >= this.#capacity && this.#takeFirstEnding() === null) return;
    this.#enter(ban, this.#firstOf(ban.prefix));
  }

  /** Takes a restored ban out again: what was written down later says that it was lifted. */
  unrestore({ prefix, target }: Pick<Ban, "prefix" | "target">): void {
    const slot = this.#inChain(this.#firstOf(prefix), target);
    if (slot >= 0) this.#takeOut(slot);
  }

  /** Lifts the bans of exactly this prefix at all targets, or at one; answers those that stood. */
  lift(prefix: Prefix, by: UnbannedBy, target?: string): readonly Ban[] {
    const slots = this.#slotsOf(prefix).filter(
      (slot) => target === undefined || this.#table.targetOf(slot) === target,
    );
    return slots.map((slot) => this.#lift(slot, by));
  }

  /** The ban that keeps an address out at a target (any, unless one is named), most special prefix first. */
  standing(a: Address, now: Instant, target?: string): Ban | null {
    const slot = this.#slotStanding(a, now, target);
    return slot < 0 ? null : this.#table.at(slot);
  }

  /** Since when that ban has stood; -1 for none. For whoever asks a million times a second. */
  standingSince(a: Address, now: Instant, target: string): Instant {
    const slot = this.#slotStanding(a, now, target);
    return slot < 0 ? -1 : this.#table.sinceOf(slot);
  }

  /** The bans of exactly this prefix. */
  of(prefix: Prefix): readonly Ban[] {
    return this.#slotsOf(prefix).map((slot) => this.#table.at(slot));
  }

  /** Takes out up to `limit` bans whose time is up, and says so in the feed; answers how many. */
  expire(now: Instant, limit: number): number {
    for (let lifted = 0; lifted < limit; lifted++) {
      const slot = this.#table.first;
      if (slot < 0 || this.#table.untilOf(slot) > now) return lifted;
      this.#lift(slot, "expiry");
    }
    return limit;
  }

  /**
   * All bans, made into objects one by one: a list of a million takes 260 MB, a walk nothing. The book may change on the way; with
   * the changes since a cursor taken before the walk, a reader still ends with the same bans.
   */
  *bans(): Generator<Ban> {
    // A chain is read at once, since whoever asks may lift what he is told.
    for (const first of this.#chains.values())
      yield* this.#chainFrom(first).map((slot) => this.#table.at(slot));
  }

  #prolong(slot: number, ban: Ban): BanOutcome {
    const standing = this.#table.at(slot);
    if (ban.until <= standing.until) return { kind: "unchanged", standing };
    const longer: Ban = { ...ban, since: standing.since };
    this.#table.replace(slot, longer);
    this.#count(standing, -1);
    this.#count(longer, 1);
    this.feed.append({ kind: "prolong", ban: longer });
    return { kind: "prolonged" };
  }

  /** Before the first of its prefix, or as the first (-1). */
  #enter(ban: Ban, first: number): void {
    const slot = this.#table.add(ban, first);
    if (first < 0) this.#chains.add(ban.prefix, slot);
    else this.#chains.set(ban.prefix, slot);
    this.#count(ban, 1);
  }

  #lift(slot: number, by: UnbannedBy): Ban {
    const ban = this.#takeOut(slot);
    this.feed.append({ kind: "lift", ban, by });
    return ban;
  }

  #takeOut(slot: number): Ban {
    const ban = this.#table.at(slot);
    this.#unchain(ban.prefix, slot);
    this.#table.remove(slot);
    this.#count(ban, -1);
    return ban;
  }

  #count({ jail, origin }: Ban, by: 1 | -1): void {
    countIn(this.#byJail, jail, by);
    countIn(this.#byOrigin, origin, by);
  }

  #unchain(prefix: Prefix, slot: number): void {
    const next = this.#table.nextOf(slot);
    const before = this.#slotsOf(prefix).find((other) => this.#table.nextOf(other) === slot);
    if (before !== undefined) this.#table.setNext(before, next);
    else if (next >= 0) this.#chains.set(prefix, next);
    else this.#chains.delete(prefix);
  }

  #slotsOf(prefix: Prefix): number[] {
    return this.#chainFrom(this.#firstOf(prefix));
  }

  #chainFrom(first: number): number[] {
    const slots: number[] = [];
    for (let slot = first; slot >= 0; slot = this.#table.nextOf(slot)) slots.push(slot);
    return slots;
  }

  #firstOf(prefix: Prefix): number {
    return this.#chains.get(prefix) ?? -1;
  }

  #inChain(first: number, target: string): number {
    let slot = first;
    while (slot >= 0 && this.#table.targetOf(slot) !== target) slot = this.#table.nextOf(slot);
    return slot;
  }

  #slotStanding(a: Address, now: Instant, target?: string): number {
    this.#wanted.now = now;
    this.#wanted.target = target;
    this.#wanted.slot = -1;
    this.#chains.find(a, this.#isWanted);
    return this.#wanted.slot;
  }

  #standingIn(first: number, now: Instant, target: string | undefined): number {
    let slot = first;
    while (slot >= 0) {
      const wanted = target === undefined || this.#table.targetOf(slot) === target;
      if (wanted && this.#table.untilOf(slot) > now) return slot;
      slot = this.#table.nextOf(slot);
    }
    return -1;
  }

  #makeRoom(): boolean {
    const evicted = this.#takeFirstEnding();
    if (evicted !== null) this.feed.append({ kind: "lift", ban: evicted, by: "full" });
    return evicted !== null;
  }

  /** The ban that ends first makes room for a new one: its attacker has been away the longest. Null when none ends. */
  #takeFirstEnding(): Ban | null {
    const slot = this.#table.first;
    if (slot < 0 || this.#table.untilOf(slot) === FOREVER) return null;
    this.#evicted++;
    return this.#takeOut(slot);
  }
}

const BANNED: BanOutcome = { kind: "banned" };
const FULL: BanOutcome = { kind: "full" };

function countIn(counts: Map<string, number>, name: string, by: 1 | -1): void {
  const count = (counts.get(name) ?? 0) + by;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}

declareMetrics(
  { at: "book" },
  {
    bans: gauge("stoplog_active_bans", "Bans in force."),
    capacity: gauge("stoplog_active_bans_limit", "The most bans there can be at the same time."),
    evicted: counter("stoplog_bans_evicted_total", "Bans ended early to make room for new ones."),
    refused: counter(
      "stoplog_bans_refused_total",
      "Bans refused because every ban in the full book is permanent.",
    ),
  },
);

declareMetrics(
  { at: "jails.*", label: "jail" },
  { banned: gauge("stoplog_jail_active_bans", "Bans in force that the jail decided.") },
);

declareMetrics(
  { at: "origins.*", label: "origin" },
  { bans: gauge("stoplog_origin_active_bans", "Bans in force that the origin ordered.") },
);
