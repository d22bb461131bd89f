import type { Address } from "../core/address.ts";
import type { Instant } from "../core/time.ts";

/** Counts the failures of addresses within findtime. */
export interface Counting {
  /** Number of addresses counted now. */
  readonly size: number;
  /** Number of addresses that were forgotten early, because there was no room. */
  readonly forgotten: number;
  /** Counts `count` failures at the time `at`. Returns the number of failures within findtime before it, including these. */
  add(a: Address, at: Instant, count: number): number;
  /** Number of failures within findtime before `now`. */
  count(a: Address, now: Instant): number;
  forget(a: Address): boolean;
  /** Removes up to `limit` addresses without a failure within findtime; returns how many. */
  sweep(now: Instant, limit: number): number;
  /** All counts as of this moment, read later, while counting goes on. The next capture of the same counts ends this one. */
  capture(now: Instant): CapturedCounts;
}

export interface CapturedCounts {
  /** Can be read once. */
  readonly counters: Iterable<Counter>;
  /** Call when they are not needed any more: they cost memory. */
  release(): void;
}

export interface Counter {
  readonly address: Address;
  /** Milliseconds between each failure and the moment of the capture, newest failure first; negative when the clock was set back since. */
  readonly ages: readonly number[];
}
