import { AddressTable } from "../core/address-table.ts";
import type { Address } from "../core/address.ts";
import type { Instant } from "../core/time.ts";

/** Who has just shown that he belongs here, and until when no jail bans him. Bounded; at the bound, the one who showed it the longest ago is forgotten. */
export class Trusted {
  readonly #table: AddressTable<Instant>;

  constructor(capacity: number) {
    this.#table = new AddressTable(capacity);
  }

  get size(): number {
    return this.#table.size;
  }

  get forgotten(): number {
    return this.#table.forgotten;
  }

  has(a: Address, now: Instant): boolean {
    return this.#table.size > 0 && (this.#table.get(a) ?? 0) > now;
  }

  /** Trusts until then, or for longer when that was so already. */
  trust(a: Address, until: Instant): void {
    this.#table.set(a, Math.max(until, this.#table.get(a) ?? 0));
  }

  revoke(a: Address): boolean {
    return this.#table.delete(a);
  }

  sweep(now: Instant, limit: number): number {
    return this.#table.sweep((until) => until <= now, limit);
  }

  *entries(): Generator<{ readonly address: Address; readonly until: Instant }> {
    for (const { address, value } of this.#table.all()) yield { address, until: value };
  }
}
