import { type Address, isV4 } from "../core/address.ts";
import type { Ban, UnbannedBy } from "../core/ban.ts";
import { PrefixMap } from "../core/prefix-map.ts";
import type { Prefix } from "../core/prefix.ts";
import { type Duration, FOREVER, HOUR, type Instant, MINUTE } from "../core/time.ts";
import { BanTable } from "./ban-table.ts";
import { Feed } from "./feed.ts";
import { counter, declareMetrics, gauge } from "../core/metrics.ts";

export interface BookOptions {
  /** Active bans; when it is full, the ban that ends first makes room. */
  readonly capacity: number;
  /** Changes that the feed remembers for its readers. */
  readonly changes: number;
}

export type BanOutcome =
  | { readonly kind: "banned" }
  /** The prefix was banned at the target already, and now ends later. */
  | { readonly kind: "prolonged" }
  | { readonly kind: "unchanged"; readonly standing: Ban }
  /** Full of permanent bans. */
  | { readonly kind: "full" };

/**
 * The single record of active bans. There is at most one ban for each prefix and target. Every change is numbered in `feed`, from which the
 * kernel, the store, peers and pages learn of it. The book does not read the clock: for `standing` a ban ends on time; it leaves the book
 * at the next `expire`.
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
  readonly #byTarget = new Map<string, number>();
  #evicted = 0;
  #refused = 0;
  /** Arguments and result of a search. Every packet causes one, so it makes no objects. */
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

  /** Bans that were removed early because the book was full. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Bans that found no room: all that were there are permanent. */
  get refused(): number {
    return this.#refused;
  }

  /** Bans of a jail in the book. */
  bansOf(jail: string): number {
    return this.#byJail.get(jail) ?? 0;
  }

  /** Bans in the book that an origin ordered. */
  bansFrom(origin: string): number {
    return this.#byOrigin.get(origin) ?? 0;
  }

  /** The targets of the bans in the book. */
  targets(): Iterable<string> {
    return this.#byTarget.keys();
  }

  /** Bans in the book at a target; expired ones count until `expire` removes them. */
  bansAt(target: string): number {
    return this.#byTarget.get(target) ?? 0;
  }

  /** The active ban of exactly this prefix at a target, or null. */
  at(prefix: Prefix, target: string, now: Instant): Ban | null {
    const slot = this.#inChain(this.#firstOf(prefix), target);
    return slot >= 0 && this.#table.untilOf(slot) > now ? this.#table.at(slot) : null;
  }

  ban(ban: Ban): BanOutcome {
    let first = this.#firstOf(ban.prefix);
    const slot = this.#inChain(first, ban.target);
    if (slot >= 0 && this.#table.untilOf(slot) > ban.since) return this.#prolong(slot, ban);
    if (slot >= 0 || this.size >= this.#capacity) {
      if (slot >= 0) this.#unban(slot, "expiry");
      else if (!this.#makeRoom()) {
        this.#refused++;
        return FULL;
      }
      // The removed ban may have had this prefix.
      first = this.#firstOf(ban.prefix);
    }
    this.#enter(ban, first);
    this.feed.append({ kind: "ban", ban });
    return BANNED;
  }

  /**
   * Adds a ban that an earlier run saved; replaces an earlier one of the same prefix and target. Not in the feed: its readers take the whole
   * book first.
   */
  restore(ban: Ban): void {
    this.unrestore(ban);
    if (this.size >= this.#capacity && this.#takeFirstEnding() === null) return;
    this.#enter(ban, this.#firstOf(ban.prefix));
  }

  /** Removes a restored ban that, by a later record, was unbanned. */
  unrestore({ prefix, target }: Pick<Ban, "prefix" | "target">): void {
    const slot = this.#inChain(this.#firstOf(prefix), target);
    if (slot >= 0) this.#takeOut(slot);
  }

  /** Removes the bans of exactly this prefix, at every target or at one. Returns them. */
  unban(prefix: Prefix, by: UnbannedBy, target?: string): readonly Ban[] {
    const slots = this.#slotsOf(prefix).filter(
      (slot) => target === undefined || this.#table.targetOf(slot) === target,
    );
    return slots.map((slot) => this.#unban(slot, by));
  }

  /** The active ban that covers an address, at any target or at one; the one with the longest prefix, or null. */
  standing(a: Address, now: Instant, target?: string): Ban | null {
    const slot = this.#slotStanding(a, now, target);
    return slot < 0 ? null : this.#table.at(slot);
  }

  /** The beginning of that ban; -1 for none. For callers that ask a million times a second. */
  standingSince(a: Address, now: Instant, target: string): Instant {
    const slot = this.#slotStanding(a, now, target);
    return slot < 0 ? -1 : this.#table.sinceOf(slot);
  }

  /** The bans of exactly this prefix. */
  of(prefix: Prefix): readonly Ban[] {
    return this.#slotsOf(prefix).map((slot) => this.#table.at(slot));
  }

  /** Removes up to `limit` expired bans. Returns how many. */
  expire(now: Instant, limit: number): number {
    for (let expired = 0; expired < limit; expired++) {
      const slot = this.#table.first;
      if (slot < 0 || this.#table.untilOf(slot) > now) return expired;
      this.#unban(slot, "expiry");
    }
    return limit;
  }

  /**
   * All bans, as objects one by one: a list of a million takes 260 MB. The book may change meanwhile: a reader that then applies the changes
   * since a cursor taken before the walk ends with the same bans.
   */
  *bans(): Generator<Ban> {
    // A whole chain is read first: the caller may remove the ban that was yielded.
    for (const first of this.#chains.values())
      yield* this.#chainFrom(first).map((slot) => this.#table.at(slot));
  }

  /** The active bans of a jail, in parts: each looks at some thousand bans of the book, and may be empty. */
  *bansIn(jail: string, now: Instant): Generator<readonly Ban[]> {
    let some: Ban[] = [];
    let looked = 0;
    for (const slot of this.#table.slots()) {
      if (this.#table.jailOf(slot) === jail && this.#table.untilOf(slot) > now)
        some.push(this.#table.at(slot));
      if (++looked % LOOK_AT_ONCE !== 0) continue;
      yield some;
      some = [];
    }
    yield some;
  }

  /** All bans as `bans` gives them, but newer ones first, as far as NEWEST_FIRST tells ages apart: they are to hold first after a loss. */
  *newestFirst(now: Instant): Generator<Ban> {
    let younger = Number.POSITIVE_INFINITY;
    for (const age of NEWEST_FIRST) {
      const oldest = now - age;
      for (const slot of this.#table.slots()) {
        const since = this.#table.sinceOf(slot);
        if (since >= oldest && since < younger) yield this.#table.at(slot);
      }
      younger = oldest;
    }
  }

  /**
   * Up to `most` wanted bans, the one that ends first at the head: at the target, of the family and length of the prefix, begun before an
   * instant, not permanent. Looks at every ban.
   */
  firstEnding(
    {
      target,
      prefix,
      before,
    }: { readonly target: string; readonly prefix: Prefix; readonly before: Instant },
    most: number,
    isWanted: (ban: Ban) => boolean,
  ): Ban[] {
    const table = this.#table;
    const v4 = isV4(prefix.address);
    const found: Ban[] = [];
    for (const slot of table.slots()) {
      const until = table.untilOf(slot);
      const last = found.length < most ? FOREVER : (found.at(-1)?.until ?? 0);
      if (until >= last || table.sinceOf(slot) >= before || table.lengthOf(slot) !== prefix.length) continue;
      if (table.isV4(slot) !== v4 || table.targetOf(slot) !== target) continue;
      const ban = table.at(slot);
      if (!isWanted(ban)) continue;
      found.splice(placeFor(until, found), 0, ban);
      if (found.length > most) found.pop();
    }
    return found;
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

  /** Before the first ban of its prefix, or as the first (-1). */
  #enter(ban: Ban, first: number): void {
    const slot = this.#table.add(ban, first);
    if (first < 0) this.#chains.add(ban.prefix, slot);
    else this.#chains.set(ban.prefix, slot);
    this.#count(ban, 1);
  }

  #unban(slot: number, by: UnbannedBy): Ban {
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

  #count({ jail, origin, target }: Ban, by: 1 | -1): void {
    countIn(this.#byJail, jail, by);
    countIn(this.#byTarget, target, by);
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

  /** Removes the ban that ends first. Null if every ban is permanent. */
  #takeFirstEnding(): Ban | null {
    const slot = this.#table.first;
    if (slot < 0 || this.#table.untilOf(slot) === FOREVER) return null;
    this.#evicted++;
    return this.#takeOut(slot);
  }
}

const BANNED: BanOutcome = { kind: "banned" };
const FULL: BanOutcome = { kind: "full" };

/** Ages of bans that `newestFirst` tells apart: it looks at the book once for each. */
/** A millisecond or two, if all of them are of the jail. */
const LOOK_AT_ONCE = 2048;

const NEWEST_FIRST: readonly Duration[] = [MINUTE, 10 * MINUTE, HOUR, 24 * HOUR, FOREVER];

/** Where a ban that ends then belongs among bans in the order of their ends. */
function placeFor(until: Instant, inOrder: readonly Ban[]): number {
  let low = 0;
  let high = inOrder.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((inOrder[middle] as Ban).until <= until) low = middle + 1;
    else high = middle;
  }
  return low;
}

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
