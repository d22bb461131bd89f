import type { PortRange } from "../core/packet.ts";
import type { Prefix } from "../core/prefix.ts";
import type { Duration, Instant } from "../core/time.ts";

export type { PortRange };

/**
 * Makes the kernel agree with the book. One enforcer serves all targets of its kind. It does not retry and keeps no
 * list of its own: the reconciler calls, and after trouble calls `replace` with the whole truth.
 */
export interface Enforcer {
  /** The name of its kind. */
  readonly kind: string;
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

/** A named place and way to enforce: what the configuration says of it. Each kind adds its own options. Several may have one name: its bans hold at all of them. */
export interface TargetSpec {
  readonly name: string;
  /** The name of its kind; see kinds.ts. */
  readonly enforcer: string;
}

/** Which packets of a banned address meet the verdict. */
export interface PacketMatch {
  readonly verdict: Verdict;
  /** Destination ports the verdict is for; empty for all. */
  readonly ports: readonly PortRange[];
  /** Layer-4 protocols that `ports` are of; empty for tcp and udp. */
  readonly protocols: readonly Protocol[];
}

/** Sets and rules of our own in nftables. */
export interface PacketTarget extends TargetSpec, PacketMatch {}

export type Verdict =
  | { readonly kind: "drop" }
  | { readonly kind: "reject" }
  /** Lets `packets` per `per` through from each banned address and drops the rest. */
  | { readonly kind: "throttle"; readonly packets: number; readonly per: Duration; readonly burst: number };

export type Protocol = "tcp" | "udp" | "sctp" | "dccp";

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
