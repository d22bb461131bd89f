import type { Family } from "../../core/family.ts";
import type { Prefix } from "../../core/prefix.ts";

/** Operations on sets of ipset, by messages or by the program. Each rejects with a StoplogError when the kernel cannot be reached. */
export interface Sets {
  /** Null when no set has this name. */
  find(name: string): Promise<FoundSet | null>;
  /** Those of these sets that exist, by their names. */
  findAll(names: readonly string[]): Promise<ReadonlyMap<string, FoundSet>>;
  create(set: NewSet): Promise<void>;
  /** Adds a set to a set of type list. */
  join(list: string, member: string): Promise<void>;
  /** Makes changes in their order. Returns the refused ones; the others hold. */
  change(changes: readonly SetChange[]): Promise<readonly SetFailure[]>;
  /** Whether the set has this very element, not a network around it. */
  has(name: string, prefix: Prefix): Promise<boolean>;
  list(name: string): Promise<readonly SetElement[]>;
  /** Exchanges the elements of two sets atomically; rules and lists keep the names. */
  swap(one: string, other: string): Promise<void>;
  /** Returns true when the set is gone, false while a rule or a list uses it. */
  destroy(name: string): Promise<boolean>;
  flush(name: string): Promise<void>;
  close(): void;
}

export interface FoundSet {
  readonly name: string;
  readonly type: string;
  /** Null for a list. */
  readonly family: Family | null;
  /** Whether its elements can have a time-out. */
  readonly timeouts: boolean;
  /** The most elements. */
  readonly capacity: number;
  /** Elements now. */
  readonly elements: number;
}

export type NewSet =
  | { readonly name: string; readonly type: "list:set" }
  | {
      readonly name: string;
      readonly type: "hash:ip" | "hash:net";
      readonly family: Family;
      readonly capacity: number;
      /** Of its hash table, a power of two. When all are filled, the kernel rebuilds the table, which stalls it. */
      readonly buckets: number;
    };

/** `add` gives an element that exists the new end; `new` is refused for it. */
export interface SetChange {
  readonly set: string;
  readonly kind: "add" | "new" | "delete";
  readonly prefix: Prefix;
  /** Time-out; 0 for none, null for a set without time-outs. */
  readonly seconds: number | null;
}

export interface SetFailure {
  /** Index among the changes of the call. */
  readonly place: number;
  readonly reason: "full" | "exists" | "gone" | "other";
  readonly fact: string;
}

export interface SetElement {
  readonly prefix: Prefix;
  /** Time left; 0 for no end. */
  readonly seconds: number;
}

/** The longest time-out that ipset takes: 24.8 days (IPSET_MAX_TIMEOUT of linux/netfilter/ipset/ip_set.h). */
export const MOST_SECONDS = 2_147_483;
