import type { Instant } from "./time.ts";

/**
 * Finds the earliest of many deadlines: a heap with four children a node, over slots that the caller owns. Deadlines can be
 * changed and removed at any time, so the heap never holds outdated ones.
 *
 *      heap    [ 7 │ 2 9 4 0 │ 1 5 … ]      slots, each due no later than its four children
 *      place   slot 9 ─► 2                  position of a slot in the heap
 *
 * Increasing deadlines, such as bans with one bantime, are added in constant time, others in log4(n) steps.
 */
export class ExpiryHeap {
  #heap: Int32Array;
  #places: Int32Array;
  #deadlines: Float64Array;
  #size = 0;

  constructor(slots: number) {
    this.#heap = new Int32Array(slots);
    this.#places = new Int32Array(slots);
    this.#deadlines = new Float64Array(slots);
  }

  get size(): number {
    return this.#size;
  }

  /** The slot with the earliest deadline, or -1. */
  get first(): number {
    return this.#size === 0 ? -1 : (this.#heap[0] as number);
  }

  get bytes(): number {
    return this.#heap.byteLength * 2 + this.#deadlines.byteLength;
  }

  deadlineOf(slot: number): Instant {
    return this.#deadlines[slot] as number;
  }

  /** Makes room for more slots. */
  grow(slots: number): void {
    const heap = new Int32Array(slots);
    const places = new Int32Array(slots);
    const deadlines = new Float64Array(slots);
    heap.set(this.#heap);
    places.set(this.#places);
    deadlines.set(this.#deadlines);
    this.#heap = heap;
    this.#places = places;
    this.#deadlines = deadlines;
  }

  /** Adds a slot that is not in the heap. */
  add(slot: number, deadline: Instant): void {
    this.#deadlines[slot] = deadline;
    this.#rise(this.#size++, slot);
  }

  /** Changes the deadline of a slot. */
  move(slot: number, deadline: Instant): void {
    const earlier = deadline < this.deadlineOf(slot);
    this.#deadlines[slot] = deadline;
    const place = this.#places[slot] as number;
    if (earlier) this.#rise(place, slot);
    else this.#sink(place, slot);
  }

  /** Removes a slot. The last one fills its place. */
  remove(slot: number): void {
    const place = this.#places[slot] as number;
    const last = this.#heap[--this.#size] as number;
    if (last === slot) return;
    if (this.deadlineOf(last) < this.deadlineOf(slot)) this.#rise(place, last);
    else this.#sink(place, last);
  }

  #rise(place: number, slot: number): void {
    const deadline = this.deadlineOf(slot);
    let to = place;
    while (to > 0) {
      const parent = (to - 1) >> 2;
      const other = this.#heap[parent] as number;
      if (this.deadlineOf(other) <= deadline) break;
      this.#put(to, other);
      to = parent;
    }
    this.#put(to, slot);
  }

  #sink(place: number, slot: number): void {
    const deadline = this.deadlineOf(slot);
    let to = place;
    for (let child = this.#earliestChild(to); child >= 0; child = this.#earliestChild(to)) {
      const other = this.#heap[child] as number;
      if (this.deadlineOf(other) >= deadline) break;
      this.#put(to, other);
      to = child;
    }
    this.#put(to, slot);
  }

  #earliestChild(place: number): number {
    const from = place * 4 + 1;
    const end = Math.min(from + 4, this.#size);
    let best = -1;
    let earliest = Number.POSITIVE_INFINITY;
    for (let child = from; child < end; child++) {
      const deadline = this.deadlineOf(this.#heap[child] as number);
      if (best < 0 || deadline < earliest) {
        best = child;
        earliest = deadline;
      }
    }
    return best;
  }

  #put(place: number, slot: number): void {
    this.#heap[place] = slot;
    this.#places[slot] = place;
  }
}
