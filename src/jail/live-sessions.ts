import { type Address, formatAddress } from "../core/address.ts";
import { BoundedMap } from "../core/bounded-map.ts";
import { LIMITS } from "../core/limits.ts";
import { PrefixSet } from "../core/prefix-map.ts";
import { hostPrefix, type Prefix } from "../core/prefix.ts";
import { type Duration, HOUR, type Instant, SECOND } from "../core/time.ts";

export interface LiveSessionsDeps {
  /** The addresses from which users are logged in now. */
  readonly read: () => Iterable<Address>;
  readonly warn: (sentence: string) => void;
}

/**
 * Addresses from which a user is logged in: a drop there would cut off the administrator. Read when a ban is decided or a list is checked, once a second at
 * most. Bounded: of more sessions than `LIMITS.sessions`, the rest is not spared.
 */
export class LiveSessions {
  /** `spare_sessions` of the configuration. */
  isOn = true;
  readonly #deps: LiveSessionsDeps;
  readonly #said = new BoundedMap<string, Instant>(LIMITS.sessions.value);
  #addresses: readonly Address[] = [];
  #set = new PrefixSet();
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(deps: LiveSessionsDeps) {
    this.#deps = deps;
  }

  has(a: Address, now: Instant): boolean {
    return this.isOn && this.#now(now).has(a);
  }

  /** All of them. */
  all(now: Instant): readonly Address[] {
    if (!this.isOn) return [];
    this.#now(now);
    return this.#addresses;
  }

  /** Whether the network is, or holds, such an address. */
  meets(network: Prefix, now: Instant): boolean {
    return this.isOn && this.#now(now).meets(network);
  }

  /** Says that a ban was not made; once an hour for each address. */
  spared(a: Address, jail: string, now: Instant): void {
    const text = formatAddress(a);
    const last = this.#said.get(text);
    if (last !== undefined && now >= last && now - last < HOUR) return;
    this.#said.set(text, now);
    this.#deps.warn(`Spared ${text}: a user is logged in from there, although ${jail} would ban it`);
  }

  #now(now: Instant): PrefixSet {
    if (now >= this.#readAt && now - this.#readAt < FRESH) return this.#set;
    this.#readAt = now;
    this.#addresses = [...this.#deps.read()].slice(0, LIMITS.sessions.value);
    this.#set = new PrefixSet(this.#addresses.map(hostPrefix));
    return this.#set;
  }
}

const FRESH: Duration = SECOND;
