import type { Ban } from "../core/ban.ts";
import { ExpiryHeap } from "../core/expiry-heap.ts";
import type { Instant } from "../core/time.ts";
import { BanColumns } from "./ban-columns.ts";

/**
 * The active bans: their columns, the order of their ends, and the unused slots. `next` chains the bans of one prefix, and the unused
 * slots.
 */
export class BanTable {
  readonly #capacity: number;
  readonly #bans: BanColumns;
  readonly #expiry: ExpiryHeap;
  #next: Int32Array;
  #free = -1;
  #fresh = 0;

  constructor(capacity: number) {
    const slots = Math.min(FIRST_SLOTS, capacity);
    this.#capacity = capacity;
    this.#bans = new BanColumns(slots);
    this.#expiry = new ExpiryHeap(slots);
    this.#next = new Int32Array(slots);
  }

  get size(): number {
    return this.#expiry.size;
  }

  /** The slot of the ban that ends first, or -1. A permanent one only if all are. */
  get first(): number {
    return this.#expiry.first;
  }

  /** Adds a ban before another slot of its chain, or at the end (-1). Returns its slot. The table must not be full. */
  add(ban: Ban, next: number): number {
    const slot = this.#freeSlot();
    this.#bans.set(slot, ban);
    this.#expiry.add(slot, ban.until);
    this.#next[slot] = next;
    return slot;
  }

  /** Replaces a ban by another one of the same prefix. */
  replace(slot: number, ban: Ban): void {
    this.#bans.set(slot, ban);
    this.#expiry.move(slot, ban.until);
  }

  remove(slot: number): void {
    this.#expiry.remove(slot);
    this.#bans.clear(slot);
    this.#next[slot] = this.#free;
    this.#free = slot;
  }

  /** The slots that hold bans, the highest first: mostly the newest bans. Bans may come and go meanwhile. */
  *slots(): Generator<number> {
    for (let slot = this.#fresh - 1; slot >= 0; slot--) if (this.#bans.isUsed(slot)) yield slot;
  }

  at(slot: number): Ban {
    return this.#bans.at(slot);
  }

  sinceOf(slot: number): Instant {
    return this.#bans.sinceOf(slot);
  }

  untilOf(slot: number): Instant {
    return this.#bans.untilOf(slot);
  }

  lengthOf(slot: number): number {
    return this.#bans.lengthOf(slot);
  }

  isV4(slot: number): boolean {
    return this.#bans.isV4(slot);
  }

  targetOf(slot: number): string {
    return this.#bans.targetOf(slot);
  }

  jailOf(slot: number): string {
    return this.#bans.jailOf(slot);
  }

  nextOf(slot: number): number {
    return this.#next[slot] as number;
  }

  setNext(slot: number, next: number): void {
    this.#next[slot] = next;
  }

  #freeSlot(): number {
    if (this.#free >= 0) {
      const slot = this.#free;
      this.#free = this.#next[slot] as number;
      return slot;
    }
    if (this.#fresh === this.#bans.slots) this.#grow();
    return this.#fresh++;
  }

  /** Doubles while copying is quick, then grows to the capacity at once: pages that are not written take no memory. */
  #grow(): void {
    const { slots } = this.#bans;
    const more = slots < LAST_DOUBLING ? Math.min(slots * 2, this.#capacity) : this.#capacity;
    this.#bans.grow(more);
    this.#expiry.grow(more);
    const next = new Int32Array(more);
    next.set(this.#next);
    this.#next = next;
  }
}

const FIRST_SLOTS = 256;
const LAST_DOUBLING = 65_536;
