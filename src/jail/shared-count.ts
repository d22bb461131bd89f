import { AddressTable } from "../core/address-table.ts";
import type { Address } from "../core/address.ts";
import type { Duration, Instant } from "../core/time.ts";
import type { Counting } from "./counting.ts";

export interface SharedCountOptions {
  /** Failures of an address that are remembered: the highest maxretry of its jails. */
  readonly keep: number;
  /** The longest findtime of its jails. */
  readonly findtime: Duration;
  /** Addresses at the same time; beyond, the stalest is forgotten. */
  readonly capacity: number;
}

/**
 * The failures of each address that several jails count together, each within a findtime of its own. No ban clears it: whoever
 * comes back while his failures are remembered is banned at once.
 */
export class SharedCount {
  readonly #keep: number;
  readonly #findtime: Duration;
  /** Moments of the last failures, newest first. */
  readonly #table: AddressTable<Instant[]>;

  constructor({ keep, findtime, capacity }: SharedCountOptions) {
    this.#keep = keep;
    this.#findtime = findtime;
    this.#table = new AddressTable(capacity);
  }

  /** Whether it counts as it would with these options. */
  fits({ keep, findtime }: SharedCountOptions): boolean {
    return keep === this.#keep && findtime === this.#findtime;
  }

  /** Puts back a failure that was counted before a restart. */
  restore(a: Address, at: Instant): void {
    this.#add(a, at, 1);
  }

  /** What one jail sees of it. */
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
      entries: (now) => this.entries(now),
    };
  }

  *entries(now: Instant): Generator<{ readonly address: Address; readonly ages: readonly number[] }> {
    for (const { address, value } of this.#table.all()) yield { address, ages: value.map((at) => now - at) };
  }

  #add(a: Address, at: Instant, count: number): readonly Instant[] {
    const times = this.#table.get(a) ?? [];
    const place = times.findIndex((time) => time <= at);
    const fresh = Array.from({ length: Math.min(count, this.#keep) }, () => at);
    times.splice(place < 0 ? times.length : place, 0, ...fresh);
    if (times.length > this.#keep) times.length = this.#keep;
    this.#table.set(a, times);
    return times;
  }
}

function recent(times: readonly Instant[], since: Instant): number {
  let n = 0;
  while (n < times.length && (times[n] as Instant) >= since) n++;
  return n;
}
