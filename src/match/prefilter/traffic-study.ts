import { GramFrequency } from "./gram-frequency.ts";
import type { MatcherStats } from "../scan.ts";

/** Watches the traffic batch by batch. */
export interface Study {
  /** Frequencies to choose literals by, when it is time to choose; else null. `stats` already counts this batch's bytes. */
  watch(bytes: Uint8Array, start: number, end: number, stats: Readonly<MatcherStats>): GramFrequency | null;
}

/**
 * Decides when literals are to be chosen anew: after the first megabyte of traffic, and again when too many lines were
 * tried in vain. Each time takes a new megabyte as its sample, and at least twice as many bytes as the last time must have
 * passed, so that no traffic can keep the matcher busy with learning.
 */
export class TrafficStudy implements Study {
  #frequency: GramFrequency | null = new GramFrequency();
  #sampled = 0;
  /** Where in the traffic the present choice began, and how many tries had been in vain by then. */
  #since = 0;
  #vainBefore = 0;
  /** How many bytes a choice is kept at least. */
  #patience = MEGABYTE * 8;

  watch(bytes: Uint8Array, start: number, end: number, stats: Readonly<MatcherStats>): GramFrequency | null {
    if (this.#frequency === null) {
      if (this.#isWorthwhile(stats)) this.#frequency = new GramFrequency();
      return null;
    }
    const until = Math.min(end, start + MEGABYTE - this.#sampled);
    this.#frequency.learn(bytes, start, until, SAMPLING_STEP);
    this.#sampled += until - start;
    if (this.#sampled < MEGABYTE) return null;
    const learned = this.#frequency;
    this.#frequency = null;
    this.#sampled = 0;
    this.#since = stats.bytes;
    this.#vainBefore = vain(stats);
    return learned;
  }

  #isWorthwhile(stats: Readonly<MatcherStats>): boolean {
    const bytes = stats.bytes - this.#since;
    if (bytes < this.#patience) return false;
    const tries = vain(stats) - this.#vainBefore;
    this.#since = stats.bytes;
    this.#vainBefore = vain(stats);
    if (tries < (bytes / MEGABYTE) * VAIN_TRIES) return false;
    this.#patience *= 2;
    return true;
  }
}

const MEGABYTE = 1 << 20;

/** A prime, so that lines of one length do not hide groups. */
const SAMPLING_STEP = 3;

/** So many tries in vain in a megabyte, about one in twenty lines, are too many. */
const VAIN_TRIES = 500;

function vain(stats: Readonly<MatcherStats>): number {
  return stats.tries - stats.failures - stats.good - stats.ignored;
}
