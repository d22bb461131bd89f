import type { Duration } from "../core/time.ts";

export interface JailOptions {
  readonly name: string;
  /** Failures within `findtime` that end the count: those of the highest step. */
  readonly maxretry: number;
  readonly findtime: Duration;
  /** By failures and times, lowest first. The highest has a step for the first time. */
  readonly steps: readonly Step[];
  /** How bans of the same address grow; null when all are alike. */
  readonly growth: Growth | null;
  /** How long after its end a ban counts as one before. */
  readonly memory: Duration;
  /** Addresses of one such network count, and are banned, as one. */
  readonly ipv4Prefix: number;
  readonly ipv6Prefix: number;
  /** Networks counted at the same time. */
  readonly addresses: number;
}

/** What so many failures lead to. */
export interface Step {
  readonly maxretry: number;
  /** From this ban of the address on; 1 for every one. */
  readonly times: number;
  readonly target: string;
  readonly bantime: Duration;
}

/** How the second, third … ban of an address differs from the first: fail2ban's `bantime.increment`. */
export interface Growth {
  readonly factor: number;
  /** By the number of bans before; the last one stays. Null for powers of two. */
  readonly multipliers: readonly number[] | null;
  readonly maxtime: Duration | null;
  /** Up to so much more, by chance. */
  readonly rndtime: Duration;
  /** Whether bans by all jails that say so count together. */
  readonly overalljails: boolean;
}
