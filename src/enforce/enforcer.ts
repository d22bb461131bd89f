import type { Prefix } from "../core/prefix.ts";
import type { Duration, Instant } from "../core/time.ts";

/**
 * Makes the kernel agree with the book. One enforcer serves all targets of its kind. It does not retry and keeps no
 * list of its own: the reconciler calls, and after trouble calls `replace` with the whole truth.
 */
export interface Enforcer {
  readonly kind: EnforcerKind;
  /**
   * Who ends a ban whose time is up: the kernel by its own time-out, or the book, whose unban is then handed over like any other.
   * Where the book does, bans outlive a daemon that is stopped, until `replace` at its next start.
   */
  readonly expires: "kernel" | "book";
  /**
   * Makes tables, chains, rules and sets for the targets and leaves the elements of an earlier run in place.
   * Rejects with a StoplogError when it cannot work here at all.
   */
  open(targets: readonly TargetSpec[], onLost: (fact: string) => void): Promise<void>;
  /** Applies changes in their order, as few transactions as possible. What was refused comes back; the rest holds. */
  apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]>;
  /**
   * Makes exactly these bans hold, without a moment in which a ban that stays is unbanned. One whose end has passed is unbanned: where
   * others own the elements as well, nobody else could tell which of them were ours. They are walked through once, and may be
   * made on the way: a million at once would take a quarter of a gigabyte.
   */
  replace(bans: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]>;
  /** What is enforced now, as far as it can be read back. */
  list(): Promise<readonly Enforced[]>;
  /** Lets go; with `flush` everything that was made is taken away, else bans stay and expire by themselves. */
  close(options: { readonly flush: boolean }): Promise<void>;
}

export type EnforcerKind = TargetSpec["enforcer"];

/** A named place and way to enforce. Several of them may have one name: its bans hold at all of them. */
export type TargetSpec =
  | PacketTarget
  | NftSetTarget
  | IpsetTarget
  | IptablesTarget
  | RecentTarget
  | HostsDenyTarget
  | RouteTarget
  | CommandTarget;

/** Which packets of a banned address meet the verdict. */
export interface PacketMatch {
  readonly verdict: Verdict;
  /** Destination ports the verdict is for; empty for all. */
  readonly ports: readonly PortRange[];
  /** Layer-4 protocols that `ports` are of; empty for tcp and udp. */
  readonly protocols: readonly Protocol[];
}

/** Tables, sets and rules of our own in nftables. */
export interface PacketTarget extends PacketMatch {
  readonly name: string;
  readonly enforcer: "nftables" | "nft" | "dry-run";
}

/** Sets in nftables that the administrator made, with the rules that use them: we add and remove elements, no more. */
export interface NftSetTarget {
  readonly name: string;
  readonly enforcer: "nft-set";
  readonly sets: readonly NftSetName[];
}

export interface NftSetName {
  readonly family: "inet" | "ip" | "ip6" | "netdev" | "bridge";
  readonly table: string;
  readonly set: string;
}

/** Sets of our own or the administrator's in ipset. */
export interface IpsetTarget extends PacketMatch {
  readonly name: string;
  readonly enforcer: "ipset";
  /** The administrator's sets, one for each family at most, whose rules are his; empty for sets and one rule each of our own. */
  readonly sets: readonly string[];
  /** The chain of iptables' filter table at whose head our rule stands. */
  readonly chain: string;
  /** False when the administrator writes the rule himself. */
  readonly rule: boolean;
}

/** One rule of iptables for each ban. */
export interface IptablesTarget extends PacketMatch {
  readonly name: string;
  readonly enforcer: "iptables";
  readonly chain: string;
  /** Of incoming packets, as iptables' `-i` takes it (`eth+`); null for all. */
  readonly interface: string | null;
}

/** A list of xt_recent, which rules of the administrator look into. */
export interface RecentTarget {
  readonly name: string;
  readonly enforcer: "recent";
  /** The list's name below /proc/net/xt_recent. */
  readonly list: string;
}

/** Lines in a file that tcp_wrappers read. */
export interface HostsDenyTarget {
  readonly name: string;
  readonly enforcer: "hosts.deny";
  readonly path: string;
  /** Which services: a list as hosts_access(5) has it, such as `ALL` or `sshd, vsftpd`. */
  readonly services: string;
}

/** Routes that lead nowhere, for what is sent back to the banned. */
export interface RouteTarget {
  readonly name: string;
  readonly enforcer: "route";
  readonly type: "blackhole" | "unreachable" | "prohibit";
}

/** Programs of the administrator's. In their arguments `{address}`, `{target}`, `{until}` and `{seconds}` are filled in. */
export interface CommandTarget {
  readonly name: string;
  readonly enforcer: "command";
  readonly start: readonly string[] | null;
  readonly stop: readonly string[] | null;
  readonly ban: readonly string[];
  readonly unban: readonly string[];
  /** True when `ban` and `unban` run once for many addresses, which they read from standard input, one a line. */
  readonly batch: boolean;
  /** How long one run may take. */
  readonly timeout: Duration;
  /** How many run at the same time. */
  readonly parallel: number;
}

export type Verdict =
  | { readonly kind: "drop" }
  | { readonly kind: "reject" }
  /** Lets `packets` per `per` through from each banned address and drops the rest. */
  | { readonly kind: "throttle"; readonly packets: number; readonly per: Duration; readonly burst: number };

export type Protocol = "tcp" | "udp" | "sctp" | "dccp";

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Ban until, or unban, one prefix at one target. */
export type Enforcement =
  | { readonly kind: "ban"; readonly prefix: Prefix; readonly target: string; readonly until: Instant }
  | { readonly kind: "unban"; readonly prefix: Prefix; readonly target: string };

/** Why the kernel did not take a change, as a sentence that names the element. */
export interface Refusal {
  readonly prefix: Prefix;
  readonly target: string;
  readonly fact: string;
}

export interface Enforced {
  readonly prefix: Prefix;
  readonly target: string;
  /** What the kernel has left of it; FOREVER for no time-out, null where it cannot be told. */
  readonly until: Instant | null;
}
