import type { Duration, Instant } from "./time.ts";

/**
 * Deadlines for one common tick: items lie in buckets by the tick in which they fall due, so adding costs a map look-up and
 * nothing is done for an item until its time. There is no cancelling: the owner looks whether a due item still counts.
 *
 *      tick 17 ─► [a b]      tick 18 ─► [c]      tick 3617 ─► [d e f]
 */
export class ExpiryWheel<T> {
  readonly #tick: Duration;
  readonly #buckets = new Map<number, T[]>();
  #size = 0;
  /** No bucket lies before this one. */
  #earliest = Number.POSITIVE_INFINITY;

  constructor(tick: Duration) {
    this.#tick = tick;
  }

  get size(): number {
    return this.#size;
  }

  add(item: T, due: Instant): void {
    const n = Math.ceil(due / this.#tick);
    const bucket = this.#buckets.get(n);
    if (bucket === undefined) this.#buckets.set(n, [item]);
    else bucket.push(item);
    if (n < this.#earliest) this.#earliest = n;
    this.#size++;
  }

  /** Takes out up to `limit` items that are due, in the order of their ticks. */
  due(now: Instant, limit: number): T[] {
    const current = Math.floor(now / this.#tick);
    const taken: T[] = [];
    while (this.#earliest <= current && taken.length < limit) taken.push(...this.#takeEarliest(limit - taken.length));
    return taken;
  }

  /** Takes out one of the items that fall due first, whether or not it is time. */
  first(): T | undefined {
    return this.#takeEarliest(1)[0];
  }

  #takeEarliest(limit: number): T[] {
    const bucket = this.#buckets.get(this.#earliest) ?? [];
    const taken = bucket.splice(Math.max(0, bucket.length - limit));
    this.#size -= taken.length;
    if (bucket.length === 0) this.#dropEarliest();
    return taken;
  }

  /** Steps to the next tick that has a bucket: one by one while that is cheap, else by looking at all of them. */
  #dropEarliest(): void {
    this.#buckets.delete(this.#earliest);
    if (this.#buckets.size === 0) {
      this.#earliest = Number.POSITIVE_INFINITY;
      return;
    }
    for (let n = this.#earliest + 1; n <= this.#earliest + 60; n++) {
      if (this.#buckets.has(n)) {
        this.#earliest = n;
        return;
      }
    }
    let next = Number.POSITIVE_INFINITY;
    for (const n of this.#buckets.keys()) if (n < next) next = n;
    this.#earliest = next;
  }
}
