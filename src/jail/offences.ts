import { AddressTable } from "../core/address-table.ts";
import type { Address } from "../core/address.ts";
import type { Instant } from "../core/time.ts";
import { counter, declareMetrics, gauge } from "../core/metrics.ts";

/** What is remembered of somebody who was banned before. */
export interface Offence {
  /** How often he was banned. */
  readonly times: number;
  /** When this is forgotten: some time after the end of the last ban. */
  readonly until: Instant;
}

/** Who was banned how often lately. Bounded; at the bound, whoever was banned the longest ago is forgotten. */
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

  /** How often the address was banned before, as far as that is remembered. */
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

  /** Forgets up to `limit` of those whose time is over. They lie by their last ban, not by its end, so some stay a little longer. */
  sweep(now: Instant, limit: number): number {
    return this.#table.sweep(({ until }) => until < now, limit);
  }

  *entries(): Generator<{ readonly address: Address } & Offence> {
    for (const { address, value } of this.#table.all()) yield { address, ...value };
  }
}

const MOST_TIMES = 1_000_000;

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
