import type { Address } from "../core/address.ts";
import type { Instant } from "../core/time.ts";

/** How often addresses failed within findtime, as a jail asks for it. */
export interface Counting {
  /** Addresses counted now. */
  readonly size: number;
  /** Addresses forgotten before their time, because there was no more room. */
  readonly forgotten: number;
  /** Counts `count` failures at one moment; answers how many there are within findtime of it, this one included. */
  add(a: Address, at: Instant, count: number): number;
  /** How many failures are within findtime before `now`. */
  count(a: Address, now: Instant): number;
  forget(a: Address): boolean;
  /** Frees up to `limit` addresses that have not failed within findtime; answers how many. */
  sweep(now: Instant, limit: number): number;
  /** Everything that is counted, with the age of each failure at `now` in milliseconds, newest first. */
  entries(now: Instant): Iterable<{ readonly address: Address; readonly ages: readonly number[] }>;
}
