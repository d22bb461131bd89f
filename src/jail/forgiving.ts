import { AddressTable } from "../core/address-table.ts";
import type { Address } from "../core/address.ts";
import { LIMITS } from "../core/limits.ts";
import type { Duration, Instant } from "../core/time.ts";

/** When a good line last forgave each network. Bounded: at the limit, the one that was forgiven first is forgotten. */
export class Forgiving {
  readonly #last = new AddressTable<Instant>(LIMITS.trusted.value);

  /** Whether a good line forgave the network within `findtime`. */
  isRecent(network: Address, now: Instant, findtime: Duration): boolean {
    const last = this.#last.get(network);
    return last !== undefined && last > now - findtime && last <= now;
  }

  /** Entries older than `findtime` are of no use, and make room. */
  note(network: Address, now: Instant, findtime: Duration): void {
    this.#last.sweep((at) => at <= now - findtime, 1);
    this.#last.set(network, now);
  }

  /** All entries as of this moment, the latest first. */
  capture(): Iterable<{ readonly address: Address; readonly at: Instant }> {
    return flat(this.#last.capture());
  }

  /** An entry of before a restart. Call it in the order of the times. */
  recall(network: Address, at: Instant): void {
    this.#last.set(network, at);
  }
}

function* flat(
  entries: Iterable<{ readonly address: Address; readonly value: Instant }>,
): Generator<{ readonly address: Address; readonly at: Instant }> {
  for (const { address, value } of entries) yield { address, at: value };
}
