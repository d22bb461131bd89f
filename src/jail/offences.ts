import { AddressTable } from "../core/address-table.ts";
import type { Address } from "../core/address.ts";
import type { Instant } from "../core/time.ts";
import { counter, declareMetrics, gauge } from "../core/metrics.ts";

/** Earlier bans of an address. */
export interface Offence {
  /** Number of bans. */
  readonly times: number;
  /** When this entry expires: some time after the end of the last ban. */
  readonly until: Instant;
}

/** Counts the recent bans of each address. Bounded: at the limit, the address with the oldest last ban is forgotten. */
export class Offences {
  readonly #table: AddressTable<Offence>;

  constructor(capacity: number) {
    this.#table = new AddressTable(capacity);
  }

  get size(): number {
    return this.#table.size;
  }

  get forgotten(): number {
    return this.#table.forgotten;
  }

  /** Number of remembered bans of the address. */
  before(a: Address, now: Instant): number {
    const offence = this.#table.get(a);
    return offence === undefined || offence.until < now ? 0 : offence.times;
  }

  remember(a: Address, offence: Offence): void {
    this.#table.set(a, { ...offence, times: Math.min(offence.times, MOST_TIMES) });
  }

  forget(a: Address): boolean {
    return this.#table.delete(a);
  }

  /** Removes up to `limit` expired entries. They are ordered by the start of the last ban, not by its end, so some stay a little longer. */
  sweep(now: Instant, limit: number): number {
    return this.#table.sweep(({ until }) => until < now, limit);
  }

  /** All entries as of this moment, the latest ban first. */
  capture(): Iterable<{ readonly address: Address } & Offence> {
    return flat(this.#table.capture());
  }
}

const MOST_TIMES = 1_000_000;

function* flat(
  entries: Iterable<{ readonly address: Address; readonly value: Offence }>,
): Generator<{ readonly address: Address } & Offence> {
  for (const { address, value } of entries) yield { address, ...value };
}

declareMetrics(
  { at: "jails.*", label: "jail" },
  {
    offenders: gauge("stoplog_jail_offenders", "Networks remembered as banned before."),
    forgottenOffenders: counter(
      "stoplog_jail_offenders_forgotten_total",
      "Networks whose earlier bans were forgotten early to make room.",
    ),
  },
);
