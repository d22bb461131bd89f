import { AddressTable } from "../core/address-table.ts";
import { BoundedMap } from "../core/bounded-map.ts";
import type { Address } from "../core/address.ts";
import { PrefixMap } from "../core/prefix-map.ts";
import {
  formatPrefix,
  hostPrefix,
  isHost,
  type Prefix,
  prefixContains,
  prefixCovers,
} from "../core/prefix.ts";
import type { Instant } from "../core/time.ts";
import { isWide } from "../core/wide-networks.ts";
import { counter, declareMetrics, gauge } from "../core/metrics.ts";

/**
 * Addresses and networks that no jail bans for a time: after a successful login, or by an order. Bounded: at the limit, the
 * address, or the network, that was trusted the longest ago is forgotten.
 */
export class Trusted {
  readonly #addresses: AddressTable<Instant>;
  readonly #networks = new PrefixMap<TrustedNetwork>();
  /** Networks in the order in which they were trusted. */
  readonly #order: BoundedMap<TrustedNetwork, true>;
  /** By their text. They are in the other tables too: this one is small, so that it can be searched each second. */
  readonly #wide = new Map<string, TrustedNetwork>();

  constructor(capacity: number) {
    this.#order = new BoundedMap(capacity);
    this.#addresses = new AddressTable(capacity);
  }

  get size(): number {
    return this.#addresses.size + this.#order.size;
  }

  get forgotten(): number {
    return this.#addresses.forgotten + this.#order.evicted;
  }

  has(a: Address, now: Instant): boolean {
    if (this.#addresses.size > 0 && (this.#addresses.get(a) ?? 0) > now) return true;
    return this.#order.size > 0 && this.#networks.find(a, ({ until }) => until > now) !== undefined;
  }

  /** True when the network is trusted or contains a trusted address. Searches all entries, unless it is a single address. */
  meets(prefix: Prefix, now: Instant): boolean {
    if (this.has(prefix.address, now)) return true;
    if (isHost(prefix)) return false;
    for (const [network] of this.#order.entries())
      if (network.until > now && prefixCovers(prefix, network.prefix)) return true;
    return this.#addresses.some((address, until) => until > now && prefixContains(prefix, address));
  }

  /** Trusts at least until `until`; never shortens. */
  trust(prefix: Prefix, until: Instant): void {
    if (isHost(prefix)) {
      const { address } = prefix;
      this.#addresses.set(address, Math.max(until, this.#addresses.get(address) ?? 0));
      return;
    }
    const known = this.#networks.get(prefix);
    if (known !== undefined) this.#order.delete(known);
    const network = { prefix, until: Math.max(until, known?.until ?? 0) };
    this.#networks.set(prefix, network);
    const evicted = this.#order.set(network, true);
    if (evicted !== null) this.#leave(evicted[0]);
    if (isWide(prefix)) this.#wide.set(formatPrefix(prefix), network);
  }

  /** The networks of /8 and wider that are trusted now. */
  wide(now: Instant): readonly Prefix[] {
    return [...this.#wide.values()].filter(({ until }) => until > now).map(({ prefix }) => prefix);
  }

  revoke(prefix: Prefix): boolean {
    if (isHost(prefix)) return this.#addresses.delete(prefix.address);
    const known = this.#networks.get(prefix);
    if (known !== undefined) this.#forget(known);
    return known !== undefined;
  }

  /** Removes up to `limit` expired addresses and networks, oldest first. */
  sweep(now: Instant, limit: number): number {
    let swept = this.#addresses.sweep((until) => until <= now, limit);
    for (const [network] of this.#order.entries()) {
      if (swept >= limit || network.until > now) break;
      this.#forget(network);
      swept++;
    }
    return swept;
  }

  /** All entries as of this moment. */
  capture(): Iterable<TrustedNetwork> {
    const networks = [...this.#order.entries()].map(([network]) => network);
    return chain(networks, this.#addresses.capture());
  }

  #forget(network: TrustedNetwork): void {
    this.#order.delete(network);
    this.#leave(network);
  }

  /** For a network that is not in the order any more. */
  #leave({ prefix }: TrustedNetwork): void {
    this.#networks.delete(prefix);
    if (isWide(prefix)) this.#wide.delete(formatPrefix(prefix));
  }
}

interface TrustedNetwork {
  readonly prefix: Prefix;
  readonly until: Instant;
}

function* chain(
  networks: readonly TrustedNetwork[],
  addresses: Iterable<{ readonly address: Address; readonly value: Instant }>,
): Generator<TrustedNetwork> {
  yield* networks;
  for (const { address, value } of addresses) yield { prefix: hostPrefix(address), until: value };
}

declareMetrics(
  { at: "trusted" },
  {
    addresses: gauge("stoplog_trusted_addresses", "Addresses that are trusted after a successful login."),
    forgotten: counter("stoplog_trusted_forgotten_total", "Trusted addresses forgotten early to make room."),
  },
);
