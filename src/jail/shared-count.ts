import { AddressTable } from "../core/address-table.ts";
import type { Address } from "../core/address.ts";
import type { Duration, Instant } from "../core/time.ts";
import type { CapturedCounts, Counter, Counting } from "./counting.ts";

export interface SharedCountOptions {
  /** Failures remembered for each address: the highest maxretry of the jails. */
  readonly keep: number;
  /** The longest findtime of the jails. */
  readonly findtime: Duration;
  /** Maximum number of addresses; one more evicts the one whose last failure is the oldest. */
  readonly capacity: number;
}

/**
 * Failures that several jails count together, each within its own findtime. A ban does not clear the count: an address that
 * fails again while its failures are remembered is banned at once.
 */
export class SharedCount {
  readonly #keep: number;
  readonly #findtime: Duration;
  /** Times of the last failures, newest first. */
  readonly #table: AddressTable<readonly Instant[]>;

  constructor({ keep, findtime, capacity }: SharedCountOptions) {
    this.#keep = keep;
    this.#findtime = findtime;
    this.#table = new AddressTable(capacity);
  }

  /** True when these options would not change the count. */
  fits({ keep, findtime }: SharedCountOptions): boolean {
    return keep === this.#keep && findtime === this.#findtime;
  }

  /** Restores a failure that was counted before a restart. */
  restore(a: Address, at: Instant): void {
    this.#add(a, at, 1);
  }

  /** The count as seen by a jail with this findtime. */
  within(findtime: Duration): Counting {
    const table = this.#table;
    return {
      get size() {
        return table.size;
      },
      get forgotten() {
        return table.forgotten;
      },
      add: (a, at, count) => recent(this.#add(a, at, count), at - findtime),
      count: (a, now) => recent(table.get(a) ?? [], now - findtime),
      forget: (a) => table.delete(a),
      sweep: (now, limit) => table.sweep((times) => (times[0] ?? 0) < now - this.#findtime, limit),
      capture: (now) => this.#capture(now),
    };
  }

  #capture(now: Instant): CapturedCounts {
    return { counters: aged(this.#table.capture(), now), release: () => undefined };
  }

  #add(a: Address, at: Instant, count: number): readonly Instant[] {
    const times = this.#table.get(a) ?? [];
    const found = times.findIndex((time) => time <= at);
    const place = found < 0 ? times.length : found;
    const fresh = Array.from({ length: Math.min(count, this.#keep) }, () => at);
    // A new array: a capture may hold the old one.
    const next = [...times.slice(0, place), ...fresh, ...times.slice(place)].slice(0, this.#keep);
    this.#table.set(a, next);
    return next;
  }
}

function* aged(
  entries: Iterable<{ readonly address: Address; readonly value: readonly Instant[] }>,
  now: Instant,
): Generator<Counter> {
  for (const { address, value } of entries) yield { address, ages: value.map((at) => now - at) };
}

function recent(times: readonly Instant[], since: Instant): number {
  let n = 0;
  while (n < times.length && (times[n] as Instant) >= since) n++;
  return n;
}
