import type { Prefix } from "../core/prefix.ts";
import type { Duration, Instant } from "../core/time.ts";

/**
 * Makes the kernel agree with the book. One enforcer serves all targets of its kind. It does not retry and keeps no
 * list of its own: the reconciler calls, and after trouble calls `replace` with the whole truth.
 */
export interface Enforcer {
  readonly kind: EnforcerKind;
  /**
   * Makes tables, chains, rules and sets for the targets and leaves the elements of an earlier run in place.
   * Rejects with a StoplogError when it cannot work here at all.
   */
  open(targets: readonly TargetSpec[], onLost: (fact: string) => void): Promise<void>;
  /** Applies changes in their order, as few transactions as possible. What was refused comes back; the rest holds. */
  apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]>;
  /** Makes exactly these bans hold, without a moment in which a ban that stays is lifted. */
  replace(bans: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]>;
  /** What is enforced now, as far as it can be read back. */
  list(): Promise<readonly Enforced[]>;
  /** Lets go; with `flush` everything that was made is taken away, else bans stay and expire by themselves. */
  close(options: { readonly flush: boolean }): Promise<void>;
}

export type EnforcerKind = "nftables" | "nft" | "dry-run";

/** A named place and way to enforce. */
export interface TargetSpec {
  readonly name: string;
  readonly enforcer: EnforcerKind;
  readonly verdict: Verdict;
  /** Destination ports the verdict is for; empty for all. */
  readonly ports: readonly PortRange[];
  /** Layer-4 protocols that `ports` are of; empty for tcp and udp. */
  readonly protocols: readonly Protocol[];
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

/** Ban until, or lift, one prefix at one target. */
export type Enforcement =
  | { readonly kind: "ban"; readonly prefix: Prefix; readonly target: string; readonly until: Instant }
  | { readonly kind: "lift"; readonly prefix: Prefix; readonly target: string };

/** Why the kernel did not take a change, as a sentence that names the element. */
export interface Refusal {
  readonly prefix: Prefix;
  readonly target: string;
  readonly fact: string;
}

export interface Enforced {
  readonly prefix: Prefix;
  readonly target: string;
  /** What the kernel has left of it; FOREVER for no timeout. */
  readonly until: Instant;
}
