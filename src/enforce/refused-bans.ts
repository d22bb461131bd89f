import { isDue } from "../core/due.ts";
import { AddressTable } from "../core/address-table.ts";
import { type Address, isV4 } from "../core/address.ts";
import type { Prefix } from "../core/prefix.ts";
import { type Duration, type Instant, MINUTE, SECOND } from "../core/time.ts";
import type { Refusal } from "./enforcer.ts";

/**
 * Bans of the book that one enforcer refused, and when to try them again. They are grouped by target, family and prefix length: bans of a
 * group go to the same set, so room in it is room for each of them. Bounded by the book: `capacity` is the book's.
 */
export class RefusedBans {
  readonly #capacity: number;
  readonly #groups = new Map<string, RefusedGroup>();
  #size = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#size;
  }

  get groups(): Iterable<RefusedGroup> {
    return this.#groups.values();
  }

  /** Why the ban was refused, as a phrase; null when it was not. */
  why(prefix: Prefix, target: string): string | null {
    if (this.#size === 0) return null;
    const group = this.#groups.get(groupKey(prefix, target));
    return group?.addresses.has(prefix.address) === true ? group.why : null;
  }

  /** Adds a ban as the newest of its group. True when its group is new. */
  add({ prefix, target, why }: Pick<Refusal, "prefix" | "target" | "why">, now: Instant): boolean {
    const key = groupKey(prefix, target);
    const known = this.#groups.get(key);
    const group = known ?? new RefusedGroup({ prefix, target, capacity: this.#capacity, now });
    if (known === undefined) this.#groups.set(key, group);
    group.why = why;
    const before = group.addresses.size;
    group.addresses.set(prefix.address, true);
    this.#size += group.addresses.size - before;
    return known === undefined;
  }

  /** A ban that holds now, or that ended. True when it had been refused. */
  delete(prefix: Prefix, target: string): boolean {
    if (this.#size === 0) return false;
    const key = groupKey(prefix, target);
    const group = this.#groups.get(key);
    if (group?.addresses.delete(prefix.address) !== true) return false;
    this.#size--;
    if (group.addresses.size === 0) this.#groups.delete(key);
    return true;
  }

  /** A ban ended that was enforced: the next refused ban of its group has its place. */
  freed(prefix: Prefix, target: string): void {
    if (this.#size > 0) this.#groups.get(groupKey(prefix, target))?.freed();
  }
}

export class RefusedGroup {
  readonly target: string;
  readonly length: number;
  /** The newest refusal last. */
  readonly addresses: AddressTable<true>;
  why = "";
  readonly #isV4: boolean;
  #places = 0;
  #pause: Duration = FIRST_PAUSE;
  #tryAt: Instant;

  constructor({
    prefix,
    target,
    capacity,
    now,
  }: {
    readonly prefix: Prefix;
    readonly target: string;
    readonly capacity: number;
    readonly now: Instant;
  }) {
    this.target = target;
    this.length = prefix.length;
    this.#isV4 = isV4(prefix.address);
    this.addresses = new AddressTable(capacity);
    this.#tryAt = now + this.#pause;
  }

  has({ address, length }: Prefix, target: string): boolean {
    return target === this.target && length === this.length && isV4(address) === this.#isV4;
  }

  freed(): void {
    this.#places++;
    this.#pause = FIRST_PAUSE;
    this.#tryAt = 0;
  }

  /** The newest bans to try now: as many as have room, or one when its time has come. */
  due(now: Instant, most: number): readonly Prefix[] {
    const { length } = this;
    if (!isDue(now, this.#tryAt, LONGEST_PAUSE)) return [];
    const wanted = Math.min(most, Math.max(1, this.#places));
    return this.addresses.newest(wanted).map((address: Address) => ({ address, length }));
  }

  /** After a trial of `tried` bans: while all of them find room, four times as many are tried next. */
  tried(tried: number, refused: number, now: Instant): void {
    if (refused === 0) {
      this.#places = Math.max(this.#places - tried, tried * 4);
      this.#pause = FIRST_PAUSE;
      this.#tryAt = now;
      return;
    }
    this.#places = 0;
    this.#tryAt = now + this.#pause;
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }
}

/** The kernel counts expired elements of a set for up to a second or two. */
const FIRST_PAUSE = SECOND;
/** What others change in a set is noticed after this time. */
const LONGEST_PAUSE = MINUTE;

function groupKey({ address, length }: Prefix, target: string): string {
  return `${target} ${isV4(address) ? 4 : 6} ${length}`;
}
