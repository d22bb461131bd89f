/**
 * Slots in the order of their last use: a doubly linked list in two columns. Moving a slot to the front and finding the
 * stalest take constant time.
 *
 *      newest ◄─► … ◄─► … ◄─► stalest          -1 ends the list on both sides
 */
export class LruList {
  #newer: Int32Array;
  #older: Int32Array;
  #newest = -1;
  #stalest = -1;

  constructor(slots: number) {
    this.#newer = new Int32Array(slots);
    this.#older = new Int32Array(slots);
  }

  get stalest(): number {
    return this.#stalest;
  }

  get newest(): number {
    return this.#newest;
  }

  get bytes(): number {
    return this.#newer.byteLength * 2;
  }

  /** The slot used just after this one, or -1. */
  newerThan(slot: number): number {
    return this.#newer[slot] as number;
  }

  /** The slot used just before this one, or -1. */
  olderThan(slot: number): number {
    return this.#older[slot] as number;
  }

  grow(slots: number): void {
    const newer = new Int32Array(slots);
    const older = new Int32Array(slots);
    newer.set(this.#newer);
    older.set(this.#older);
    this.#newer = newer;
    this.#older = older;
  }

  /** The slots as they are now, the newest first. */
  copy(): Iterable<number> {
    return walk(this.#newest, this.#older.slice());
  }

  /** Adds a slot that is not in the list at the front. */
  add(slot: number): void {
    this.#newer[slot] = -1;
    this.#older[slot] = this.#newest;
    if (this.#newest >= 0) this.#newer[this.#newest] = slot;
    else this.#stalest = slot;
    this.#newest = slot;
  }

  remove(slot: number): void {
    const newer = this.#newer[slot] as number;
    const older = this.#older[slot] as number;
    if (newer >= 0) this.#older[newer] = older;
    else this.#newest = older;
    if (older >= 0) this.#newer[older] = newer;
    else this.#stalest = newer;
  }

  touch(slot: number): void {
    if (slot === this.#newest) return;
    this.remove(slot);
    this.add(slot);
  }
}

function* walk(newest: number, older: Int32Array): Generator<number> {
  for (let slot = newest; slot >= 0; slot = older[slot] as number) yield slot;
}
