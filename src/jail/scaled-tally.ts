import { AddressIndex } from "../core/address-index.ts";
import type { Address } from "../core/address.ts";
import { LruList } from "../core/lru-list.ts";
import { type Duration, type Instant, SECOND } from "../core/time.ts";
import type { CapturedCounts, Counter, Counting } from "./counting.ts";
import type { TallyOptions } from "./tally.ts";

/**
 * Counts failures as fail2ban's failure manager does: per address the first time, the last time and a number. When the first time is more than
 * findtime ago, the number is scaled down to findtime by its rate, rounded, and the first time moves up to findtime ago.
 *
 *      slot      0 1 2 …      one column each: key (4 B, or 16), first and last time (8 B), number (2 B), LRU links (8 B)
 *
 * fail2ban drops an address whose last failure is older than findtime at its next clean-up. Here it has ended at once.
 */
export class ScaledTally implements Counting {
  readonly #maxretry: number;
  readonly #findtime: Duration;
  readonly #capacity: number;
  readonly #index: AddressIndex;
  readonly #lru: LruList;
  #slots: number;
  #first: Float64Array;
  #last: Float64Array;
  #numbers: Uint16Array;
  readonly #free: number[] = [];
  #fresh = 0;
  #size = 0;
  #forgotten = 0;

  constructor({ maxretry, findtime, capacity }: TallyOptions) {
    this.#maxretry = maxretry;
    this.#findtime = findtime;
    this.#capacity = capacity;
    this.#slots = Math.min(FIRST_SLOTS, capacity);
    this.#index = new AddressIndex(this.#slots);
    this.#lru = new LruList(this.#slots);
    this.#first = new Float64Array(this.#slots);
    this.#last = new Float64Array(this.#slots);
    this.#numbers = new Uint16Array(this.#slots);
  }

  get size(): number {
    return this.#size;
  }

  get forgotten(): number {
    return this.#forgotten;
  }

  add(a: Address, at: Instant, count: number): number {
    const found = this.#index.find(a.w0, a.w1, a.w2, a.w3);
    const isKnown = found >= 0 && !this.#isOver(found, at) && !this.#isAhead(found, at);
    if (isKnown) this.#adjust(found, at);
    const number = (isKnown ? (this.#numbers[found] as number) : 0) + count;
    if (number >= this.#maxretry) {
      if (found >= 0) this.#release(found);
      return this.#maxretry;
    }
    const slot = found >= 0 ? found : this.#take(a);
    this.#lru.touch(slot);
    if (!isKnown) this.#first[slot] = this.#last[slot] = at;
    this.#numbers[slot] = number;
    return number;
  }

  count(a: Address, now: Instant): number {
    const slot = this.#index.find(a.w0, a.w1, a.w2, a.w3);
    return slot < 0 || this.#isOver(slot, now) ? 0 : (this.#numbers[slot] as number);
  }

  forget(a: Address): boolean {
    const slot = this.#index.find(a.w0, a.w1, a.w2, a.w3);
    if (slot >= 0) this.#release(slot);
    return slot >= 0;
  }

  sweep(now: Instant, limit: number): number {
    let swept = 0;
    while (swept < limit && this.#lru.stalest >= 0 && this.#isOver(this.#lru.stalest, now)) {
      this.#release(this.#lru.stalest);
      swept++;
    }
    return swept;
  }

  capture(now: Instant): CapturedCounts {
    const columns = {
      order: this.#lru.copy(),
      addressOf: this.#index.copy(0, this.#fresh),
      first: this.#first.slice(0, this.#fresh),
      last: this.#last.slice(0, this.#fresh),
      numbers: this.#numbers.slice(0, this.#fresh),
      most: this.#findtime - 1,
    };
    return { counters: countersOf(columns, now), release: () => undefined };
  }

  #isOver(slot: number, now: Instant): boolean {
    return (this.#last[slot] as number) <= now - this.#findtime;
  }

  /** The clock was set back: callers drop stale failures. */
  #isAhead(slot: number, at: Instant): boolean {
    return at < (this.#last[slot] as number) - this.#findtime;
  }

  /** As fail2ban's `adjustTime`, in seconds and with Python's rounding: half to even. */
  #adjust(slot: number, at: Instant): void {
    if (at <= (this.#last[slot] as number)) return;
    const first = this.#first[slot] as number;
    if (first < at - this.#findtime) {
      const rate = (this.#numbers[slot] as number) / ((at - first) / SECOND);
      this.#numbers[slot] = halfToEven(rate * (this.#findtime / SECOND));
      this.#first[slot] = at - this.#findtime;
    }
    this.#last[slot] = at;
  }

  #take(a: Address): number {
    if (this.#size === this.#capacity) {
      this.#release(this.#lru.stalest);
      this.#forgotten++;
    }
    let slot = this.#free.pop();
    if (slot === undefined) {
      if (this.#fresh === this.#slots) this.#grow();
      slot = this.#fresh++;
    }
    this.#index.insert(slot, a.w0, a.w1, a.w2, a.w3);
    this.#lru.add(slot);
    this.#size++;
    return slot;
  }

  #release(slot: number): void {
    this.#index.remove(slot);
    this.#lru.remove(slot);
    this.#free.push(slot);
    this.#size--;
  }

  /** Doubles while the copy is cheap, then allocates the full capacity: untouched pages cost no memory. */
  #grow(): void {
    this.#slots = this.#slots < LAST_DOUBLING ? Math.min(this.#slots * 2, this.#capacity) : this.#capacity;
    this.#index.grow(this.#slots);
    this.#lru.grow(this.#slots);
    const [first, last] = [new Float64Array(this.#slots), new Float64Array(this.#slots)];
    const numbers = new Uint16Array(this.#slots);
    first.set(this.#first);
    last.set(this.#last);
    numbers.set(this.#numbers);
    this.#first = first;
    this.#last = last;
    this.#numbers = numbers;
  }
}

const FIRST_SLOTS = 256;
const LAST_DOUBLING = 65_536;

interface Columns {
  /** Slots in use, the one with the newest failure first. */
  readonly order: Iterable<number>;
  readonly addressOf: (slot: number) => Address;
  readonly first: Float64Array;
  readonly last: Float64Array;
  readonly numbers: Uint16Array;
  /** The longest from the first to the last time: at findtime the count would be over when it is read. */
  readonly most: Duration;
}

/**
 * Failures that, counted again, give the same number and times: one at the first time, the others at the last. The first time of a
 * single failure is lost when it was scaled.
 */
function* countersOf(columns: Columns, now: Instant): Generator<Counter> {
  const { order, addressOf, first, last, numbers, most } = columns;
  for (const slot of order) {
    const ages = Array<number>(numbers[slot] as number).fill(now - (last[slot] as number));
    if (ages.length > 1)
      ages[ages.length - 1] = now - Math.max(first[slot] as number, (last[slot] as number) - most);
    yield { address: addressOf(slot), ages };
  }
}

function halfToEven(a: number): number {
  const floor = Math.floor(a);
  const rest = a - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
