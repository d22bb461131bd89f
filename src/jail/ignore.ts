import type { Address } from "../core/address.ts";
import type { IgnoreReason } from "../core/decision.ts";
import { PrefixSet } from "../core/prefix-map.ts";
import type { Prefix } from "../core/prefix.ts";

/**
 * Who is never banned. The lists of all jails and of one jail stand side by side; the machine's own addresses are
 * replaced as they change, without touching the lists.
 */
export class IgnoreList {
  readonly #lists: readonly PrefixSet[];
  readonly #own: OwnAddresses | null;

  constructor(lists: readonly PrefixSet[], own: OwnAddresses | null) {
    this.#lists = lists.filter((list) => list.size > 0);
    this.#own = own;
  }

  /** Why the address is ignored, or null when it is not. */
  reason(a: Address): IgnoreReason | null {
    if (this.#own !== null && this.#own.has(a)) return "own address";
    for (const list of this.#lists) if (list.has(a)) return "allow-listed";
    return null;
  }

  /** Whether someone who is never banned lives in the network. Looks at all lists, so it is for networks only. */
  meets(network: Prefix): boolean {
    return this.#own?.meets(network) === true || this.#lists.some((list) => list.meets(network));
  }
}

/** This machine's addresses and its gateways, looked up by the daemon now and then. */
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
