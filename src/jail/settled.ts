import type { Address } from "../core/address.ts";
import { AddressTable } from "../core/address-table.ts";
import { LIMITS } from "../core/limits.ts";
import type { Duration, Instant } from "../core/time.ts";

/** Up to when the lines of a network led to something before the restart that is over. Those of `reset` and `ban` ended the count. */
export interface Settled {
  readonly reset: Instant;
  readonly ban: Instant;
  readonly milderBan: Instant;
}

/** What was made, before a crash, of lines that are read again. Empty some time after the start. */
export class SettledLines {
  #table: AddressTable<Settled> | null = null;

  get isEmpty(): boolean {
    return this.#table === null;
  }

  settle(network: Address, by: keyof Settled, until: Instant): void {
    this.#table ??= new AddressTable(LIMITS.offenders.value);
    const settled = this.#table.get(network) ?? NEVER;
    this.#table.set(network, { ...settled, [by]: Math.max(until, settled[by]) });
  }

  /** Forgets what is older than findtime. */
  of(network: Address, now: Instant, findtime: Duration): Settled {
    const table = this.#table;
    if (table === null) return NEVER;
    table.sweep((settled) => lastOf(settled) < now - findtime, 1);
    if (table.size === 0) this.#table = null;
    return table.get(network) ?? NEVER;
  }
}

export const NEVER: Settled = {
  reset: Number.NEGATIVE_INFINITY,
  ban: Number.NEGATIVE_INFINITY,
  milderBan: Number.NEGATIVE_INFINITY,
};

/** The moment of what matters most; null for what is never. */
export function settledAt({ reset, ban, milderBan }: Settled): Instant | null {
  return [reset, ban, milderBan].find(Number.isFinite) ?? null;
}

function lastOf({ reset, ban, milderBan }: Settled): Instant {
  return Math.max(reset, ban, milderBan);
}
