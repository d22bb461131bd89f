import { AddressIndex } from "./address-index.ts";
import type { Address } from "./address.ts";
import { LruList } from "./lru-list.ts";

/** Values by address, in the order of their last write. At `capacity` the entry with the oldest write is evicted and counted. */
export class AddressTable<T> {
  readonly #capacity: number;
  readonly #index: AddressIndex;
  readonly #order: LruList;
  readonly #values: (T | undefined)[] = [];
  readonly #free: number[] = [];
  #slots: number;
  #size = 0;
  #forgotten = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#slots = Math.min(FIRST_SLOTS, capacity);
    this.#index = new AddressIndex(this.#slots);
    this.#order = new LruList(this.#slots);
  }

  get size(): number {
    return this.#size;
  }

  /** Entries that were evicted. */
  get forgotten(): number {
    return this.#forgotten;
  }

  get(a: Address): T | undefined {
    const slot = this.#index.find(a.w0, a.w1, a.w2, a.w3);
    return slot < 0 ? undefined : this.#values[slot];
  }

  set(a: Address, value: T): void {
    let slot = this.#index.find(a.w0, a.w1, a.w2, a.w3);
    if (slot >= 0) this.#order.touch(slot);
    else {
      slot = this.#take();
      this.#index.insert(slot, a.w0, a.w1, a.w2, a.w3);
      this.#order.add(slot);
    }
    this.#values[slot] = value;
  }

  has(a: Address): boolean {
    return this.#index.find(a.w0, a.w1, a.w2, a.w3) >= 0;
  }

  delete(a: Address): boolean {
    const slot = this.#index.find(a.w0, a.w1, a.w2, a.w3);
    if (slot >= 0) this.#release(slot);
    return slot >= 0;
  }

  /** Deletes entries, oldest write first, while `isOver` holds, at most `limit`. Returns how many. */
  sweep(isOver: (value: T) => boolean, limit: number): number {
    let swept = 0;
    while (swept < limit && this.#order.stalest >= 0 && isOver(this.#values[this.#order.stalest] as T)) {
      this.#release(this.#order.stalest);
      swept++;
    }
    return swept;
  }

  /** Whether an entry matches. Searches from end to end. */
  some(is: (a: Address, value: T) => boolean): boolean {
    for (let slot = this.#order.newest; slot >= 0; slot = this.#order.olderThan(slot))
      if (is(this.#index.addressOf(slot), this.#values[slot] as T)) return true;
    return false;
  }

  /** All entries as of this moment, newest write first; read later, while the table goes on changing. */
  capture(): Iterable<{ readonly address: Address; readonly value: T }> {
    return entries(this.#order.copy(), this.#index.copy(0, this.#slots), this.#values.slice());
  }

  /** The addresses with the newest writes, newest first. */
  newest(most: number): readonly Address[] {
    const addresses: Address[] = [];
    for (
      let slot = this.#order.newest;
      slot >= 0 && addresses.length < most;
      slot = this.#order.olderThan(slot)
    )
      addresses.push(this.#index.addressOf(slot));
    return addresses;
  }

  #take(): number {
    if (this.#size >= this.#capacity) {
      this.#forgotten++;
      this.#release(this.#order.stalest);
    }
    const slot = this.#free.pop() ?? this.#size;
    if (slot >= this.#slots) {
      this.#slots = Math.min(this.#capacity, this.#slots * 2);
      this.#index.grow(this.#slots);
      this.#order.grow(this.#slots);
    }
    this.#size++;
    return slot;
  }

  #release(slot: number): void {
    this.#index.remove(slot);
    this.#order.remove(slot);
    this.#values[slot] = undefined;
    this.#free.push(slot);
    this.#size--;
  }
}

const FIRST_SLOTS = 64;

function* entries<T>(
  slots: Iterable<number>,
  addressOf: (slot: number) => Address,
  values: readonly (T | undefined)[],
): Generator<{ readonly address: Address; readonly value: T }> {
  for (const slot of slots) yield { address: addressOf(slot), value: values[slot] as T };
}
