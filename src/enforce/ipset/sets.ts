import type { Family } from "../../core/family.ts";
import type { Prefix } from "../../core/prefix.ts";

/** What can be done with sets of ipset, whoever tells the kernel. All of it rejects with a StoplogError when that cannot be done at all. */
export interface Sets {
  /** Null when there is no set of this name. */
  find(name: string): Promise<FoundSet | null>;
  create(set: NewSet): Promise<void>;
  /** Makes one set a member of another, which is a list. */
  join(list: string, member: string): Promise<void>;
  /** In their order. What was refused comes back, the rest holds. */
  change(changes: readonly SetChange[]): Promise<readonly SetFailure[]>;
  /** The element itself, not a network around it. */
  has(name: string, prefix: Prefix): Promise<boolean>;
  list(name: string): Promise<readonly SetElement[]>;
  /** Gives each of two sets the other's elements, at one stroke, wherever rules and lists name them. */
  swap(one: string, other: string): Promise<void>;
  /** Answers false when a rule or a list still uses it; true when it is gone. */
  destroy(name: string): Promise<boolean>;
  flush(name: string): Promise<void>;
  close(): void;
}

export interface FoundSet {
  readonly name: string;
  readonly type: string;
  /** Null for a list. */
  readonly family: Family | null;
  /** Whether its elements can end by themselves. */
  readonly timeouts: boolean;
  /** Elements at the most. */
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
      /** Of its hash table, a power of two: when each has some elements, the kernel makes all of it anew, which takes it a while. */
      readonly buckets: number;
    };

/** `new` is `add` that refuses what is there already; an element that is there gets the new end by `add`. */
export interface SetChange {
  readonly set: string;
  readonly kind: "add" | "new" | "delete";
  readonly prefix: Prefix;
  /** Until it ends by itself, 0 for never; null for a set without time-outs. */
  readonly seconds: number | null;
}

export interface SetFailure {
  /** Among the changes of the call. */
  readonly place: number;
  readonly reason: "full" | "exists" | "gone" | "other";
  readonly fact: string;
}

export interface SetElement {
  readonly prefix: Prefix;
  /** Left of it; 0 for no end. */
  readonly seconds: number;
}

/** The longest time-out that ipset takes: 24.8 days (IPSET_MAX_TIMEOUT of linux/netfilter/ipset/ip_set.h). */
export const MOST_SECONDS = 2_147_483;
