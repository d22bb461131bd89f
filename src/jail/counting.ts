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
  /** All counted addresses, with the age of each failure at `now` in ms, newest failure first. */
  entries(now: Instant): Iterable<{ readonly address: Address; readonly ages: readonly number[] }>;
}
