import { setImmediate as nextTurn } from "node:timers/promises";
import { address, type Address } from "../core/address.ts";

export interface Counter {
  readonly address: Address;
  /** Milliseconds between each failure and the moment of saving, newest failure first. */
  readonly ages: readonly number[];
}

/**
 * Restored counters in columns: some 32 bytes each, as objects 300.
 *
 *      counter   0 1 2 …      address (16 B), end of its ages
 *      ages      [ 7 120 | 15 | 3 9 … ]
 */
export class CounterColumns {
  #words = new Int32Array(FIRST * 4);
  #ends = new Int32Array(FIRST);
  #ages = new Float64Array(FIRST);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add({ address: { w0, w1, w2, w3 }, ages }: Counter): void {
    const n = this.#size++;
    if (n === this.#ends.length) {
      this.#words = grown(this.#words, new Int32Array(n * 8));
      this.#ends = grown(this.#ends, new Int32Array(n * 2));
    }
    const w = n * 4;
    this.#words[w] = w0;
    this.#words[w + 1] = w1;
    this.#words[w + 2] = w2;
    this.#words[w + 3] = w3;
    let end = this.#endOf(n - 1);
    while (end + ages.length > this.#ages.length)
      this.#ages = grown(this.#ages, new Float64Array(this.#ages.length * 2));
    for (const age of ages) this.#ages[end++] = age;
    this.#ends[n] = end;
  }

  /** In the order in which they were added. */
  *[Symbol.iterator](): Generator<Counter> {
    for (let n = 0; n < this.#size; n++) yield this.#at(n);
  }

  /** The counters, oldest last failure first (to 1/65,536 of the oldest age); some in each turn of the event loop. */
  async *stalestFirst(): AsyncGenerator<readonly Counter[]> {
    const order = await this.#order();
    for (let from = 0; from < this.#size; from += YIELDED_AT_ONCE) {
      yield Array.from(order.subarray(from, from + YIELDED_AT_ONCE), (n) => this.#at(n));
      await nextTurn();
    }
  }

  /** A counting sort by age. */
  async #order(): Promise<Int32Array> {
    let oldest = 1;
    await this.#each((n) => {
      oldest = Math.max(oldest, this.#newestOf(n));
    });
    const classOf = (n: number): number =>
      CLASSES - 1 - Math.floor((Math.max(0, this.#newestOf(n)) / oldest) * (CLASSES - 1));
    const starts = new Int32Array(CLASSES);
    await this.#each((n) => raise(starts, classOf(n)));
    let start = 0;
    for (let c = 0; c < CLASSES; c++) {
      const count = starts[c] as number;
      starts[c] = start;
      start += count;
    }
    const order = new Int32Array(this.#size);
    await this.#each((n) => (order[raise(starts, classOf(n))] = n));
    return order;
  }

  async #each(visit: (n: number) => void): Promise<void> {
    for (let n = 0; n < this.#size; n++) {
      visit(n);
      if (n % VISITED_AT_ONCE === VISITED_AT_ONCE - 1) await nextTurn();
    }
  }

  #at(n: number): Counter {
    const w = n * 4;
    const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = this.#words.subarray(w, w + 4);
    return {
      address: address(w0, w1, w2, w3),
      ages: [...this.#ages.subarray(this.#endOf(n - 1), this.#endOf(n))],
    };
  }

  #newestOf(n: number): number {
    const start = this.#endOf(n - 1);
    return start < this.#endOf(n) ? (this.#ages[start] as number) : 0;
  }

  #endOf(n: number): number {
    return n < 0 ? 0 : (this.#ends[n] as number);
  }
}

const FIRST = 256;
const CLASSES = 65_536;
const YIELDED_AT_ONCE = 2000;
const VISITED_AT_ONCE = 100_000;

/** Adds one, and returns the value before. */
function raise(counts: Int32Array, place: number): number {
  const count = counts[place] as number;
  counts[place] = count + 1;
  return count;
}

function grown<T extends Int32Array | Float64Array>(column: T, larger: T): T {
  larger.set(column);
  return larger;
}
