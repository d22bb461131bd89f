import { BoundedMap } from "../core/bounded-map.ts";
import { counter, declareMetrics, gauge } from "../core/metrics.ts";
import type { Allowed, OrderNote } from "../core/order-note.ts";
import { formatPrefix, type Prefix } from "../core/prefix.ts";
import type { Instant } from "../core/time.ts";

/** Addresses and networks that no jail bans for a time. */
export interface Trust {
  trust(prefix: Prefix, until: Instant): void;
  /** False when exactly this network was not trusted. */
  revoke(prefix: Prefix): boolean;
}

/**
 * The orders to allow that last, for people to see and take back. Jails ask `Trusted`, which also has the addresses of successful logins; this is the
 * list of the orders among them.
 */
export class Allows {
  readonly #trusted: Trust;
  readonly #note: (note: OrderNote) => void;
  readonly #orders: BoundedMap<string, Allowed>;

  /** `note` puts a change on disk. */
  constructor(trusted: Trust, capacity: number, note: (note: OrderNote) => void) {
    this.#trusted = trusted;
    this.#orders = new BoundedMap(capacity);
    this.#note = note;
  }

  get size(): number {
    return this.#orders.size;
  }

  /** Orders that are in force and no longer listed. */
  get forgotten(): number {
    return this.#orders.evicted;
  }

  /** Never shortens an earlier order. */
  allow(order: Allowed): void {
    this.#note({ kind: "allow", ...this.#add(order) });
  }

  /** Ends the trust of exactly this network, however it came about. False when there was none. */
  unallow(prefix: Prefix, now: Instant): boolean {
    if (!this.#remove(prefix)) return false;
    this.#note({ kind: "unallow", prefix, at: now });
    return true;
  }

  /** Notes that an unban reset the counters of an address that was not banned. */
  reset(prefix: Prefix, now: Instant): void {
    this.#note({ kind: "reset", prefix, at: now });
  }

  /** Applies what an earlier run noted. */
  restore(note: OrderNote, now: Instant): void {
    if (note.kind === "unallow") this.#remove(note.prefix);
    else if (note.kind === "allow" && note.until > now) this.#add(note);
  }

  /** Oldest first. */
  *active(now: Instant): Generator<Allowed> {
    for (const [, order] of this.#orders.entries()) if (order.until > now) yield order;
  }

  sweep(now: Instant): void {
    for (const [key, { until }] of this.#orders.entries()) if (until <= now) this.#orders.delete(key);
  }

  #add({ prefix, since, until, origin }: Allowed): Allowed {
    const before = this.#orders.get(formatPrefix(prefix));
    const isLonger = before === undefined || until > before.until;
    const order = isLonger ? { prefix, since, until, origin } : before;
    this.#trusted.trust(prefix, order.until);
    this.#orders.set(formatPrefix(prefix), order);
    return order;
  }

  #remove(prefix: Prefix): boolean {
    this.#orders.delete(formatPrefix(prefix));
    return this.#trusted.revoke(prefix);
  }
}

declareMetrics(
  { at: "allows" },
  {
    orders: gauge("stoplog_allows", "Orders to allow that last."),
    forgotten: counter(
      "stoplog_allows_forgotten_total",
      "Orders to allow that are in force and no longer listed.",
    ),
  },
);
