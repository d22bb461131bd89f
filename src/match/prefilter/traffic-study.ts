import { GramFrequency } from "./gram-frequency.ts";
import type { MatcherStats } from "../scan.ts";

/** Watches the traffic batch by batch. */
export interface Study {
  /** Frequencies to choose literals by, when it is time to choose; else null. `stats` already counts this batch's bytes. */
  watch(bytes: Uint8Array, start: number, end: number, stats: Readonly<MatcherStats>): GramFrequency | null;
}

/**
 * Decides when to choose literals again: after the first megabyte of traffic, and whenever too many lines were tried without a match. Each choice
 * takes a new megabyte as its sample and must wait for twice as many bytes as the one before, so that no traffic keeps the matcher busy
 * with learning. What this is worth: docs/decisions/0008.
 */
export class TrafficStudy implements Study {
  #frequency: GramFrequency | null = new GramFrequency();
  #sampled = 0;
  /** Bytes and vain tries at the last check. */
  #since = 0;
  #vainBefore = 0;
  /** Bytes between two checks. */
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

/** Bytes. Odd, so that lines of one length do not hide groups. */
const SAMPLING_STEP = 3;

/** Per megabyte; about one line in twenty. */
const VAIN_TRIES = 500;

function vain(stats: Readonly<MatcherStats>): number {
  return stats.tries - stats.failures - stats.good - stats.ignored;
}
