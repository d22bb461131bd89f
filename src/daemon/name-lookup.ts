import { type Address, parseAddress } from "../core/address.ts";
import { BoundedMap } from "../core/bounded-map.ts";
import { LIMITS } from "../core/limits.ts";
import { type Instant, MINUTE } from "../core/time.ts";
import { counter, declareMetrics } from "../core/metrics.ts";

/**
 * Resolves host names that `usedns` jails find instead of addresses. Attackers choose the names: concurrent queries and remembered names are
 * bounded, and names beyond the bound are counted and dropped.
 */
export class NameLookup {
  readonly #known = new BoundedMap<string, Answer>(LIMITS.namesKnown.value);
  readonly #asked = new Set<string>();
  readonly #resolve: Resolve;
  #dropped = 0;

  constructor(resolve: Resolve = askSystem) {
    this.#resolve = resolve;
  }

  /** Names that were not resolved: too many queries were under way, or the name is malformed. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Queries under way. */
  get asked(): number {
    return this.#asked.size;
  }

  /** Names that were forgotten early to make room. */
  get forgotten(): number {
    return this.#known.evicted;
  }

  /** Calls `found` with each address of a name, at once or when the resolver answers. */
  find(name: string, now: Instant, found: (address: Address) => void): void {
    const known = this.#known.get(name);
    if (known !== undefined && known.until > now) {
      known.addresses.forEach(found);
      return;
    }
    if (this.#asked.size >= LIMITS.namesAsked.value || this.#asked.has(name) || !HOST_NAME.test(name)) {
      this.#dropped++;
      return;
    }
    this.#asked.add(name);
    void this.#resolve(name)
      .then((answers) => answers.flatMap((answer) => parseAddress(answer.address) ?? []))
      .catch(() => [])
      .then((addresses) => {
        this.#asked.delete(name);
        this.#known.set(name, { addresses, until: now + REMEMBERED });
        addresses.forEach(found);
      });
  }
}

interface Answer {
  readonly addresses: readonly Address[];
  readonly until: Instant;
}

/** As node:dns `lookup` with `all`. */
export type Resolve = (name: string) => Promise<readonly { readonly address: string }[]>;

const REMEMBERED = 5 * MINUTE;
/** RFC 1123, 2.1, with at least one dot; underscores occur in practice. */
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)+\.?$/i;

/** The system's resolver, /etc/hosts included; loaded at the first name, since most machines never need it. */
export async function askSystem(name: string): Promise<readonly { readonly address: string }[]> {
  const { lookup } = await import("node:dns/promises");
  return lookup(name, { all: true });
}

declareMetrics(
  { at: "names" },
  {
    dropped: counter(
      "stoplog_names_dropped_total",
      "Host names that were not looked up: too many were under way.",
    ),
    forgotten: counter(
      "stoplog_names_forgotten_total",
      "Host names whose addresses were forgotten early to make room.",
    ),
  },
);
