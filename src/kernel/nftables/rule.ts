import type { Family } from "../../core/family.ts";

/** A chain, with its rules as data. A base chain is called by the kernel at a hook; others are jumped to. */
export interface Chain {
  readonly name: string;
  /** Null for a chain that is jumped to. */
  readonly base: BaseChain | null;
  readonly rules: readonly Rule[];
}

/** Chains at prerouting run in the order of their priorities, the lowest first. */
export interface BaseChain {
  readonly priority: number;
}

/** Parts are run from left to right; one that does not match ends the rule. */
export type Rule = readonly Part[];

/** Each part is one statement of nft(8), whose syntax is in the comment beside it. */
export type Part =
  | { readonly kind: "family"; readonly family: Family } // meta nfproto ipv4
  | { readonly kind: "loopback" } // iif "lo"
  | { readonly kind: "interface"; readonly name: string } // iifname "eth0"
  | { readonly kind: "protocol"; readonly protocol: number } // meta l4proto 6
  | { readonly kind: "port"; readonly set: string } // th dport @ports
  | { readonly kind: "any of"; readonly field: Field; readonly set: SetId } // th dport { 22, 8000-8080 }
  | { readonly kind: "flags"; readonly set: number; readonly clear: number } // tcp flags & 0x12 == 0x2
  | { readonly kind: "new connection" } // ct state new
  | { readonly kind: "source"; readonly set: AddressSet; readonly not?: boolean } // ip saddr & 255.255.255.0 @set
  | { readonly kind: "limit"; readonly rate: Rate; readonly over: boolean } // limit rate over 100/second
  | { readonly kind: "limit object"; readonly name: string } // limit name "bans"
  /** A limit for each source address, kept in a set. */
  | { readonly kind: "source limit"; readonly set: AddressSet; readonly rate: Rate; readonly over: boolean } // update @set { ip saddr limit rate over … }
  /** Matches a source address that has more connections than this. */
  | { readonly kind: "source connections"; readonly set: AddressSet; readonly over: number } // add @set { ip saddr ct count over 20 }
  /** Adds the source address to a set. `timeout` in ms; null for a permanent element. */
  | { readonly kind: "add source"; readonly set: AddressSet; readonly timeout: number | null } // add @set { ip saddr timeout 1h }
  | { readonly kind: "counter" } // counter
  | { readonly kind: "counter object"; readonly name: string } // counter name "list"
  | { readonly kind: "log"; readonly log: Log } // log prefix "jail: " group 5
  | { readonly kind: "jump" | "goto"; readonly chain: string }
  | { readonly kind: "reject"; readonly with: "tcp reset" | "admin-prohibited" }
  | { readonly kind: "drop" | "return" };

/** A field that an anonymous set can contain: iifname, meta l4proto or th dport. */
export type Field = "interface" | "protocol" | "port";

/** A set of addresses, or of the first addresses of networks that all have one prefix length. */
export interface AddressSet {
  readonly name: string;
  readonly family: Family;
  /** Null for whole addresses. */
  readonly length: number | null;
}

/** An anonymous set, which belongs to the one rule that uses it: its number within the batch that makes it. */
export interface SetId {
  readonly id: number;
}

/** `packets` for each `seconds`, which must be one of nft's units: a second, minute, hour, day or week. */
export interface Rate {
  readonly packets: number;
  readonly seconds: number;
  readonly burst: number;
}

/** Copies packets to a netlink group. */
export interface Log {
  readonly group: number;
  readonly prefix: string;
  /** Bytes copied of each packet. */
  readonly snaplen: number;
  /** Packets that the kernel collects before it wakes the reader. */
  readonly threshold: number;
}
