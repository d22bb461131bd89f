import { LruList } from "./lru-list.ts";

/**
 * A map with room for so many entries; a new one evicts the oldest and counts it. The oldest entry is the one that was set the longest ago:
 * setting a key again makes it the newest, reading does not. Every operation takes constant time. A Map alone does not: it walks over
 * every deleted entry to find its first.
 *
 *      slots    key ─► slot        order    newest ◄─► … ◄─► oldest
 */
export class BoundedMap<Key, Value> {
  readonly #capacity: number;
  readonly #slots = new Map<Key, number>();
  readonly #keys: Key[] = [];
  readonly #values: Value[] = [];
  readonly #order: LruList;
  readonly #free: number[] = [];
  /** Slots for which the order has room. */
  #room: number;
  #evicted = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#room = Math.min(capacity, FIRST_SLOTS);
    this.#order = new LruList(this.#room);
  }

  get size(): number {
    return this.#slots.size;
  }

  get isFull(): boolean {
    return this.size >= this.#capacity;
  }

  /** Entries that made room for others. */
  get evicted(): number {
    return this.#evicted;
  }

  has(key: Key): boolean {
    return this.#slots.has(key);
  }

  get(key: Key): Value | undefined {
    const slot = this.#slots.get(key);
    return slot === undefined ? undefined : this.#values[slot];
  }

  /** Makes the entry the newest. Returns the entry that was evicted for it, or null. */
  set(key: Key, value: Value): readonly [Key, Value] | null {
    const known = this.#slots.get(key);
    if (known !== undefined) {
      this.#values[known] = value;
      this.#order.touch(known);
      return null;
    }
    const evicted = this.isFull ? this.takeOldest() : null;
    if (evicted !== null) this.#evicted++;
    const slot = this.#free.pop() ?? this.#nextSlot();
    this.#slots.set(key, slot);
    this.#keys[slot] = key;
    this.#values[slot] = value;
    this.#order.add(slot);
    return evicted;
  }

  delete(key: Key): boolean {
    const slot = this.#slots.get(key);
    if (slot === undefined) return false;
    this.#slots.delete(key);
    this.#order.remove(slot);
    this.#free.push(slot);
    // The entry may be large, and its slot empty for long.
    this.#keys[slot] = undefined as Key;
    this.#values[slot] = undefined as Value;
    return true;
  }

  oldest(): readonly [Key, Value] | null {
    const slot = this.#order.stalest;
    return slot < 0 ? null : [this.#keys[slot] as Key, this.#values[slot] as Value];
  }

  takeOldest(): readonly [Key, Value] | null {
    const oldest = this.oldest();
    if (oldest !== null) this.delete(oldest[0]);
    return oldest;
  }

  /** Oldest first. The entry that was just yielded may be deleted. */
  *entries(): Generator<readonly [Key, Value]> {
    for (let slot = this.#order.stalest; slot >= 0;) {
      const newer = this.#order.newerThan(slot);
      yield [this.#keys[slot] as Key, this.#values[slot] as Value];
      slot = newer;
    }
  }

  #nextSlot(): number {
    const slot = this.#keys.length;
    if (slot === this.#room) {
      this.#room = Math.min(this.#room * 2, this.#capacity);
      this.#order.grow(this.#room);
    }
    return slot;
  }
}

const FIRST_SLOTS = 64;
