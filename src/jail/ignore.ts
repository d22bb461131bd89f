import type { Address } from "../core/address.ts";
import type { IgnoreReason } from "../core/decision.ts";
import { impossible } from "../core/impossible-address.ts";
import { PrefixSet } from "../core/prefix-map.ts";
import { hostPrefix, type Prefix } from "../core/prefix.ts";
import type { Instant } from "../core/time.ts";
import type { Trusted } from "./trusted.ts";

/**
 * Addresses that are never banned: the lists of all jails and of one jail, and the machine's own addresses, which are replaced
 * as they change, without a change to the lists.
 */
export class IgnoreList {
  readonly #lists: readonly PrefixSet[];
  readonly #own: OwnAddresses | null;
  readonly #trusted: Trusted | null;

  constructor(lists: readonly PrefixSet[], own: OwnAddresses | null, trusted: Trusted | null = null) {
    this.#lists = lists.filter((list) => list.size > 0);
    this.#own = own;
    this.#trusted = trusted;
  }

  /** Why the address, or its network, is ignored; null when it is not. */
  reason(a: Address, network: Address, now: Instant): IgnoreReason | null {
    if (impossible(a) !== null) return "impossible address";
    if (this.#own !== null && this.#own.has(a)) return "own address";
    for (const list of this.#lists) if (list.has(a)) return "allow-listed";
    const trusted = this.#trusted;
    if (trusted !== null && (trusted.has(a, now) || trusted.has(network, now))) return "trusted";
    return null;
  }

  /** No jail that shares this trust bans the address, or the network that counts as one with it, before `until`. */
  trust(a: Address, network: Address, until: Instant): void {
    this.#trusted?.trust(hostPrefix(a), until);
    if (network !== a) this.#trusted?.trust(hostPrefix(network), until);
  }

  /** True when the network contains an address that is never banned. Searches all lists: only for networks. */
  meets(network: Prefix): boolean {
    return this.#own?.meets(network) === true || this.#lists.some((list) => list.meets(network));
  }
}

/** The machine's addresses and its gateways; the daemon refreshes them. */
export class OwnAddresses {
  #set: PrefixSet;

  constructor(prefixes: Iterable<Prefix> = []) {
    this.#set = new PrefixSet(prefixes);
  }

  has(a: Address): boolean {
    return this.#set.has(a);
  }

  meets(network: Prefix): boolean {
    return this.#set.meets(network);
  }

  replace(prefixes: Iterable<Prefix>): void {
    this.#set = new PrefixSet(prefixes);
  }

  values(): Iterable<Prefix> {
    return this.#set.values();
  }
}
