import { type Duration, MINUTE } from "../core/time.ts";

/**
 * Time from one comparison of a list with the book to the next: `every`, or longer after one that took long, up to a minute. With 100,000 bans a
 * comparison takes ipset 0.15 s and the nft program 0.9 s, most of it in nft.
 */
export function comparisonPause(every: Duration, took: Duration): Duration {
  return Math.max(every, Math.min(SHARE * took, MINUTE));
}

/** Comparisons take at most a fiftieth of the time, or as much as once a minute costs. */
const SHARE = 50;
