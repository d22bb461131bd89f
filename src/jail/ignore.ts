import type { Address } from "../core/address.ts";
import type { IgnoreReason } from "../core/decision.ts";
import { impossible } from "../core/impossible-address.ts";
import { PrefixSet } from "../core/prefix-map.ts";
import { hostPrefix, type Prefix } from "../core/prefix.ts";
import type { Instant } from "../core/time.ts";
import type { LiveSessions } from "./live-sessions.ts";
import type { Trusted } from "./trusted.ts";

/**
 * Addresses that are never banned: the lists of all jails and of one jail, and the machine's own addresses, which are replaced
 * as they change, without a change to the lists.
 */
export class IgnoreList {
  readonly #lists: readonly NeverBanned[];
  readonly #own: OwnAddresses | null;
  readonly #trusted: Trusted | null;
  readonly #sessions: LiveSessions | null;
  readonly #asked: Asked | null;

  constructor(
    lists: readonly NeverBanned[],
    own: OwnAddresses | null,
    trusted: Trusted | null = null,
    { sessions = null, asked = null }: IgnoreMore = {},
  ) {
    this.#lists = lists.filter((list) => !(list instanceof PrefixSet) || list.size > 0);
    this.#own = own;
    this.#trusted = trusted;
    this.#sessions = sessions;
    this.#asked = asked;
  }

  /** Why the address, or its network, is ignored; null when it is not. */
  reason(a: Address, network: Address, now: Instant): Exclude<IgnoreReason, "live session"> | null {
    if (impossible(a) !== null) return "impossible address";
    if (this.#own !== null && this.#own.has(a)) return "own address";
    for (const list of this.#lists) if (list.has(a)) return "allow-listed";
    if (this.#asked?.has(a, now) === true) return "allow-listed";
    const trusted = this.#trusted;
    if (trusted !== null && (trusted.has(a, now) || trusted.has(network, now))) return "trusted";
    return null;
  }

  /** Asks the jail's `ignorecommand` about an address that has a failure; the answer comes later. */
  ask(a: Address, now: Instant): void {
    this.#asked?.ask(a, now);
  }

  /** Whether a user is logged in from the address. */
  hasSession(a: Address, now: Instant): boolean {
    return this.#sessions?.has(a, now) === true;
  }

  /** Says that the address was not banned because of that. */
  spared(a: Address, jail: string, now: Instant): void {
    this.#sessions?.spared(a, jail, now);
  }

  /** No jail that shares this trust bans the address, or the network that counts as one with it, before `until`. */
  trust(a: Address, network: Address, until: Instant): void {
    this.#trusted?.trust(hostPrefix(a), until);
    if (network !== a) this.#trusted?.trust(hostPrefix(network), until);
  }

  /** True when the network contains an address that must not be banned. Searches all lists: only for networks. */
  meets(network: Prefix, now: Instant): boolean {
    return (
      this.#own?.meets(network) === true ||
      this.#lists.some((list) => list.meets(network)) ||
      this.#sessions?.meets(network, now) === true ||
      this.#asked?.meets(network, now) === true
    );
  }
}

/** Addresses and networks that a jail never bans. */
export interface NeverBanned {
  has(a: Address): boolean;
  meets(network: Prefix): boolean;
}

interface IgnoreMore {
  readonly sessions?: LiveSessions | null;
  readonly asked?: Asked | null;
}

/** The addresses that a program of the operator's says are never banned. */
export interface Asked {
  has(a: Address, now: Instant): boolean;
  meets(network: Prefix, now: Instant): boolean;
  ask(a: Address, now: Instant): void;
}

/** Addresses that the daemon refreshes. */
export class ChangingPrefixes implements NeverBanned {
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

/** The machine's addresses and its gateways. */
export class OwnAddresses extends ChangingPrefixes {}
