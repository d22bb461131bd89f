import type { Formula } from "../core/formula/formula.ts";
import type { Duration } from "../core/time.ts";

export interface JailOptions {
  readonly name: string;
  /** Failures within `findtime` for the highest step, which ends the count. */
  readonly maxretry: number;
  readonly findtime: Duration;
  /** Whether failures count in an exact window of findtime, or as fail2ban scales them; `exact` unless set. */
  readonly counting?: "exact" | "scaled" | undefined;
  /** Sorted by failures, then by times. The highest number of failures has a step with `times` 1. */
  readonly steps: readonly Step[];
  /** How repeated bans of an address grow; null when all have the same length. */
  readonly growth: Growth | null;
  /** How long after its end a ban still counts as an earlier ban. */
  readonly memory: Duration;
  /** Addresses within one network of this length are counted and banned together. */
  readonly ipv4Prefix: number;
  readonly ipv6Prefix: number;
  /** Maximum number of networks counted at the same time. */
  readonly addresses: number;
}

/** The ban after a number of failures. */
export interface Step {
  readonly maxretry: number;
  /** Applies from this ban of the address on; 1: from the first. */
  readonly times: number;
  readonly target: string;
  readonly bantime: Duration;
  /** The target holds single IPv6 addresses only: of a network that is counted as one, the offending address is banned. */
  readonly singleV6?: true;
  /** A ban there lets some packets pass, so an address from which a user is logged in may be banned too. */
  readonly isMild?: true;
}

/** How the second and later bans of an address grow: fail2ban's `bantime.increment`. */
export interface Growth {
  readonly factor: number;
  /** Indexed by the number of earlier bans; the last one applies from there on. Null for powers of two, or the formula. */
  readonly multipliers: readonly number[] | null;
  /** Null for powers of two. */
  readonly formula?: Formula | null;
  readonly maxtime: Duration | null;
  /** Maximum random addition. */
  readonly rndtime: Duration;
  /** Whether bans by other jails with this option count as earlier bans. */
  readonly overalljails: boolean;
  /** Whether a failure of an address that was banned before counts as several. */
  readonly sooner?: boolean;
}
