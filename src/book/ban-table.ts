import type { Ban } from "../core/ban.ts";
import { ExpiryHeap } from "../core/expiry-heap.ts";
import type { Instant } from "../core/time.ts";
import { BanColumns } from "./ban-columns.ts";

/**
 * The standing bans: their columns, which one ends first, and which slots are free. `next` chains the bans that belong
 * together, as the book wishes; free slots are chained by it as well.
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

  /** The slot of the ban that ends first, or -1. It is one without end only when all are. */
  get first(): number {
    return this.#expiry.first;
  }

  /** Enters a ban, before another one's slot or at the end of its chain (-1); answers its slot. The table must not be full. */
  add(ban: Ban, next: number): number {
    const slot = this.#freeSlot();
    this.#bans.set(slot, ban);
    this.#expiry.add(slot, ban.until);
    this.#next[slot] = next;
    return slot;
  }

  /** Writes another ban of the same prefix in the place of one. */
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

  at(slot: number): Ban {
    return this.#bans.at(slot);
  }

  sinceOf(slot: number): Instant {
    return this.#bans.sinceOf(slot);
  }

  untilOf(slot: number): Instant {
    return this.#bans.untilOf(slot);
  }

  targetOf(slot: number): string {
    return this.#bans.targetOf(slot);
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

  /** Doubles while that is quick to copy, then takes all at once: untouched pages cost no memory until they are used. */
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
