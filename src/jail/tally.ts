import { AddressIndex } from "../core/address-index.ts";
import type { Address } from "../core/address.ts";
import type { CapturedCounts, Counter, Counting } from "./counting.ts";
import { LruList } from "../core/lru-list.ts";
import { counter, declareMetrics, gauge } from "../core/metrics.ts";
import { PageCopies } from "../core/page-copies.ts";
import { DAY, type Duration, type Instant } from "../core/time.ts";

export interface TallyOptions {
  readonly maxretry: number;
  readonly findtime: Duration;
  /** Maximum number of addresses; one more evicts the one whose last failure is the oldest, which `forgotten` counts. */
  readonly capacity: number;
}

/**
 * Counts the failures of each address within findtime, in an exact sliding window. Stores the times of the last maxretry - 1
 * failures of each address, newest first. The failure that reaches maxretry clears them, so more are never needed.
 *
 *      slot      0 1 2 …      one column each: key (4 B, or 16), newest time, the older ones, count, LRU links (8 B)
 *
 * In a large attack most addresses fail once. Older times are in a separate column, because memory that was never written to
 * costs nothing.
 *
 * Times are 32-bit counts of ms (of seconds when findtime is over ten days) that wrap. Differences are still correct, because
 * `sweep` drops failures older than findtime long before half of the range has passed.
 */
export class Tally implements Counting {
  readonly #maxretry: number;
  readonly #keep: number;
  readonly #unit: Duration;
  /** findtime in units. */
  readonly #window: number;
  readonly #capacity: number;
  readonly #index: AddressIndex;
  readonly #lru: LruList;
  #slots: number;
  #newest: Uint32Array;
  /** maxretry - 2 times per slot. */
  #older: Uint32Array;
  #counts: Uint16Array | Uint8Array;
  #size = 0;
  /** First slot of the free list, which is linked through the newest times; -1 when it is empty. */
  #free = -1;
  #fresh = 0;
  #forgotten = 0;
  /** Copies the slots before they change, while a capture is read. */
  #captured: PageCopies<Columns> | null = null;

  constructor({ maxretry, findtime, capacity }: TallyOptions) {
    this.#maxretry = maxretry;
    this.#keep = maxretry - 1;
    this.#unit = findtime > 10 * DAY ? 1000 : 1;
    this.#window = Math.ceil(findtime / this.#unit);
    this.#capacity = Math.max(1, Math.min(capacity, Math.floor(MAX_BYTES / (40 + 4 * this.#keep))));
    this.#slots = Math.min(FIRST_SLOTS, this.#capacity);
    this.#index = new AddressIndex(this.#slots);
    this.#lru = new LruList(this.#slots);
    this.#newest = new Uint32Array(this.#slots);
    this.#older = new Uint32Array(this.#slots * this.#olderEach);
    this.#counts = this.#newCounts(this.#slots);
  }

  /** Addresses counted now. */
  get size(): number {
    return this.#size;
  }

  /** Maximum number of addresses. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Addresses that were evicted within their findtime, because the table was full. */
  get forgotten(): number {
    return this.#forgotten;
  }

  get bytes(): number {
    return (
      this.#index.bytes +
      this.#lru.bytes +
      this.#newest.byteLength +
      this.#older.byteLength +
      this.#counts.byteLength
    );
  }

  /**
   * Counts `count` failures at the time `at`; returns the number of failures within findtime of the newest. At maxretry the
   * address is removed, so the next failure starts a new count. A failure older than the window of the newest also starts a new
   * count: callers drop stale failures, so the clock was set back and the counted failures are in the future.
   */
  add(a: Address, at: Instant, count: number): number {
    const t = this.#toUnits(at);
    const found = this.#index.find(a.w0, a.w1, a.w2, a.w3);
    if (found >= 0) return this.#addTo(found, t, count);
    if (count >= this.#maxretry) return this.#maxretry;
    this.#write(this.#take(a), 0, 0, t, count);
    return count;
  }

  /** Number of failures of the address within findtime before `now`. */
  count(a: Address, now: Instant): number {
    const slot = this.#index.find(a.w0, a.w1, a.w2, a.w3);
    if (slot < 0) return 0;
    return this.#within(slot, this.#toUnits(now));
  }

  forget(a: Address): boolean {
    const slot = this.#index.find(a.w0, a.w1, a.w2, a.w3);
    if (slot >= 0) this.#release(slot);
    return slot >= 0;
  }

  /** Removes up to `limit` addresses whose last failure is older than findtime; returns how many. */
  sweep(now: Instant, limit: number): number {
    const t = this.#toUnits(now);
    let swept = 0;
    while (swept < limit && this.#lru.stalest >= 0) {
      const slot = this.#lru.stalest;
      if (difference(t, this.#newest[slot] as number) <= this.#window) break;
      this.#release(slot);
      swept++;
    }
    return swept;
  }

  /** As `Counting` has it. Its cost is spread over the failures that follow. */
  capture(now: Instant): CapturedCounts {
    const copies = new PageCopies(this.#fresh, (from, to) => this.#copy(from, to));
    this.#captured = copies;
    const release = (): void => {
      copies.release();
      if (this.#captured === copies) this.#captured = null;
    };
    return { counters: countersOf(copies, this.#toUnits(now), this.#unit), release };
  }

  #copy(from: number, to: number): Columns {
    const each = this.#olderEach;
    return {
      addressOf: this.#index.copy(from, to),
      newest: this.#newest.slice(from, to),
      older: this.#older.slice(from * each, to * each),
      each,
      counts: this.#counts.slice(from, to),
    };
  }

  #addTo(slot: number, t: number, count: number): number {
    const newest = this.#newest[slot] as number;
    const late = difference(newest, t); // positive when the line is older than one that was counted before it
    const kept = late > this.#window ? 0 : this.#within(slot, late > 0 ? newest : t);
    this.#lru.touch(slot);
    if (kept + count >= this.#maxretry) {
      this.#release(slot);
      return this.#maxretry;
    }
    this.#write(slot, kept, late > 0 ? this.#younger(slot, kept, t) : 0, t, count);
    return kept + count;
  }

  /** Number of times of a slot within the window that ends at `t`. Times are sorted, so the others are at the end. */
  #within(slot: number, t: number): number {
    let n = this.#counts[slot] as number;
    while (n > 0 && difference(t, this.#timeAt(slot, n - 1)) > this.#window) n--;
    return n;
  }

  #younger(slot: number, kept: number, t: number): number {
    let n = 0;
    while (n < kept && difference(this.#timeAt(slot, n), t) > 0) n++;
    return n;
  }

  /** Inserts the time `t` `count` times at index `place` of the first `kept` times of a slot. */
  #write(slot: number, kept: number, place: number, t: number, count: number): void {
    this.#captured?.beforeChange(slot);
    if (kept - place > FEW) this.#move(slot, kept, place, count);
    else for (let i = kept - 1; i >= place; i--) this.#setTime(slot, i + count, this.#timeAt(slot, i));
    for (let i = 0; i < count; i++) this.#setTime(slot, place + i, t);
    this.#counts[slot] = kept + count;
  }

  /** As the loop of `#write`, at once: with a maxretry of thousands the loop would take most of the time, at a restart too. */
  #move(slot: number, kept: number, place: number, count: number): void {
    const start = slot * this.#olderEach;
    const first = Math.max(place, 1) - 1;
    this.#older.copyWithin(start + first + count, start + first, start + kept - 1);
    if (place === 0) this.#setTime(slot, count, this.#newest[slot] as number);
  }

  get #olderEach(): number {
    return Math.max(0, this.#keep - 1);
  }

  #timeAt(slot: number, i: number): number {
    if (i === 0) return this.#newest[slot] as number;
    return this.#older[slot * this.#olderEach + i - 1] as number;
  }

  #setTime(slot: number, i: number, t: number): void {
    if (i === 0) this.#newest[slot] = t;
    else this.#older[slot * this.#olderEach + i - 1] = t;
  }

  #take(a: Address): number {
    const slot = this.#freeSlot();
    this.#captured?.beforeChange(slot);
    this.#index.insert(slot, a.w0, a.w1, a.w2, a.w3);
    this.#lru.add(slot);
    this.#size++;
    return slot;
  }

  #freeSlot(): number {
    if (this.#free < 0 && this.#size === this.#capacity) {
      this.#release(this.#lru.stalest);
      this.#forgotten++;
    }
    if (this.#free >= 0) {
      const slot = this.#free;
      this.#free = (this.#newest[slot] as number) - 1;
      return slot;
    }
    if (this.#fresh === this.#slots) this.#grow();
    return this.#fresh++;
  }

  #release(slot: number): void {
    this.#captured?.beforeChange(slot);
    this.#index.remove(slot);
    this.#lru.remove(slot);
    this.#newest[slot] = this.#free + 1;
    this.#counts[slot] = 0;
    this.#free = slot;
    this.#size--;
  }

  /** Doubles while the copy is cheap, then allocates the full capacity: untouched pages cost no memory. */
  #grow(): void {
    this.#slots = this.#slots < LAST_DOUBLING ? Math.min(this.#slots * 2, this.#capacity) : this.#capacity;
    this.#index.grow(this.#slots);
    this.#lru.grow(this.#slots);
    const newest = new Uint32Array(this.#slots);
    newest.set(this.#newest);
    this.#newest = newest;
    const older = new Uint32Array(this.#slots * this.#olderEach);
    older.set(this.#older);
    this.#older = older;
    const counts = this.#newCounts(this.#slots);
    counts.set(this.#counts);
    this.#counts = counts;
  }

  #newCounts(slots: number): Uint16Array | Uint8Array {
    return this.#keep < 256 ? new Uint8Array(slots) : new Uint16Array(slots);
  }

  #toUnits(at: Instant): number {
    return Math.floor(at / this.#unit) >>> 0;
  }
}

/** Some slots in a row. */
interface Columns {
  readonly addressOf: (n: number) => Address;
  readonly newest: Uint32Array;
  readonly older: Uint32Array;
  /** Older times of one slot. */
  readonly each: number;
  readonly counts: Uint16Array | Uint8Array;
}

function* countersOf(pages: PageCopies<Columns>, now: number, unit: Duration): Generator<Counter> {
  for (let page = pages.take(); page !== null; page = pages.take()) {
    const { addressOf, newest, older, each, counts } = page;
    for (let n = 0; n < counts.length; n++) {
      const timeAt = (_: unknown, i: number): number =>
        i === 0 ? (newest[n] as number) : (older[n * each + i - 1] as number);
      const times = Array.from({ length: counts[n] as number }, timeAt);
      if (times.length > 0)
        yield { address: addressOf(n), ages: times.map((t) => difference(now, t) * unit) };
    }
  }
}

/** Times that a loop moves as fast. */
const FEW = 16;
const FIRST_SLOTS = 256;
const LAST_DOUBLING = 65_536;
/** Memory limit of one tally: a jail with a large maxretry counts fewer addresses. */
const MAX_BYTES = 256 * 1024 * 1024;

/** a - b of counts that wrap at 2^32; correct while they are less than 2^31 apart. */
function difference(a: number, b: number): number {
  return (a - b) | 0;
}

declareMetrics(
  { at: "jails.*", label: "jail" },
  {
    addresses: gauge("stoplog_jail_addresses", "Addresses whose failures the jail counts now."),
    forgotten: counter(
      "stoplog_jail_addresses_forgotten_total",
      "Addresses whose failures were forgotten early to make room.",
    ),
  },
);
