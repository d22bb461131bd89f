import type { PortRange } from "../core/packet.ts";
import type { Prefix } from "../core/prefix.ts";
import type { Duration, Instant } from "../core/time.ts";

export type { PortRange };

/**
 * Makes the kernel agree with the book. One enforcer serves all targets of its kind. It keeps no list of bans of its own and does not
 * retry: after trouble the reconciler opens it again and calls `replace` with the whole book.
 *
 * Calls never overlap: the reconciler waits for one before it makes the next. So an enforcer needs no lock.
 */
export interface Enforcer {
  /** The name of its kind. */
  readonly kind: string;
  /**
   * What ends an expired ban: the kernel by its own time-out, or the book, which hands over an unban. Where the book does, bans outlive a
   * stopped daemon, until `replace` at its next start.
   */
  readonly expires: "kernel" | "book";
  /**
   * Creates tables, chains, rules and sets for the targets, and keeps the bans of an earlier run. Called again at each reload; bans at
   * targets that are gone may go at once or with the next `replace`. Rejects with a StoplogError when the
   * enforcer cannot work here at all. An enforcer that learns of a loss calls `onLost` with a fact, at any time until `close` ends: the
   * reconciler then opens it again and calls `replace`.
   */
  open(targets: readonly TargetSpec[], onLost: (fact: string) => void): Promise<void>;
  /** Applies changes in their order, in as few transactions as possible. Returns the refused ones; the others hold. */
  apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]>;
  /**
   * Makes exactly these bans hold, without a moment in which a ban that stays is missing. An expired ban among them is an unban: where
   * others own elements too, only that tells which were ours. The bans are iterated once and may be created on the way: an array of a
   * million would take 250 MB.
   */
  replace(bans: Iterable<Enforcement>, now: Instant): Promise<readonly Refusal[]>;
  /** The bans that hold now, as far as they can be read back; at most `most` of a set where the kernel needs long for more, with a warning. */
  list(most?: number): Promise<readonly Enforced[]>;
  /**
   * Looks for what others removed or changed, for enforcers that nothing tells of a loss. Returns null, or a fact about what is gone: then
   * the reconciler opens the enforcer again and calls `replace`.
   */
  missing?(now: Instant): Promise<string | null>;
  /** Time between two such looks, LOOK_EVERY by default. Looks that take long come less often (`Lookout`). */
  readonly lookEvery?: Duration;
  /** The number of bans that hold now, where that costs far less than `list`. When it changes unlike the book, `list` is compared. */
  count?(): Promise<number>;
  /** Time between two comparisons of `list` with the book, longer where they cost much (`comparisonPause`). Only for enforcers whose `missing` does not see a single ban that is gone. */
  readonly compareEvery?: Duration;
  /** What others do, as of the last look, so that packets of banned addresses pass: sentences. Not ours to repair, so they are reported. */
  obstacles?(): readonly string[];
  /**
   * Removes an address that another program entered where this enforcer bans, for enforcers that share such a place. At once, at any time; bans
   * of the book stay.
   */
  forget?(prefix: Prefix): void;
  /** Ends the work. With `flush` every ban and everything that was created is removed (a log of changes stays); without it bans stay. */
  close(options: { readonly flush: boolean }): Promise<void>;
}

/** One way to enforce the bans of a target. Each kind adds its options. A target with several ways has several of these, with one name. */
export interface TargetSpec {
  readonly name: string;
  /** The name of its kind; see kinds.ts. */
  readonly enforcer: string;
}

/** The verdict, and the packets of a banned address that it applies to. */
export interface PacketMatch {
  readonly verdict: Verdict;
  /** Destination ports; empty for all traffic. */
  readonly ports: readonly PortRange[];
  /** Layer-4 protocols of `ports`; empty for tcp and udp. */
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

/** A change that was refused. `refused` in last-changes.ts makes one. */
export interface Refusal {
  readonly kind: Enforcement["kind"];
  readonly prefix: Prefix;
  readonly target: string;
  /** Why, as a phrase: 'the set default_v4 is full with 100 elements'. */
  readonly why: string;
  /** Whether there was no room: another ban of its target, family and prefix length could make it. */
  readonly isFull: boolean;
  /** A sentence that names the prefix. */
  readonly fact: string;
}

export interface Enforced {
  readonly prefix: Prefix;
  readonly target: string;
  /** The end of the ban; FOREVER for none, null when it cannot be read back. */
  readonly until: Instant | null;
}
