import { TYPICAL_TRAFFIC } from "./typical-traffic.ts";

/**
 * How often each group of four bytes occurs in traffic, learned from a sample. The frequency of an unseen group is estimated from its
 * bytes. A group is a 32-bit number with the first byte lowest.
 */
export class GramFrequency {
  /** Counts by hash. Groups that share a bucket look more frequent than they are, which only costs speed. */
  readonly #groups = new Uint32Array(1 << BITS);
  readonly #bytes = new Float64Array(256);
  #total = 0;

  /** Groups learned so far. */
  get total(): number {
    return this.#total;
  }

  /** Counts the group at every `step`-th place of `bytes` from `start` to `end`. */
  learn(bytes: Uint8Array, start: number, end: number, step: number): void {
    for (let at = start; at + 4 <= end; at += step) {
      this.#groups[bucket(wordAt(bytes, at))]!++;
      this.#bytes[bytes[at]!]!++;
      this.#total++;
    }
  }

  /** The share of places at which the group stands, 0 to 1. */
  of(word: number): number {
    let unseen = UNSEEN_WEIGHT;
    for (let i = 0; i < 32; i += 8) unseen *= (this.#bytes[(word >>> i) & 255]! + 0.05) / (this.#total + 13);
    return (this.#groups[bucket(word)]! + unseen) / (this.#total + UNSEEN_WEIGHT);
  }
}

/** Frequencies before anything is learned, from TYPICAL_TRAFFIC. */
export function typicalFrequency(): GramFrequency {
  const frequency = new GramFrequency();
  const bytes = Buffer.from(TYPICAL_TRAFFIC, "latin1");
  frequency.learn(bytes, 0, bytes.length, 1);
  return frequency;
}

/** Four bytes as a number, as WebAssembly loads them. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** 65,536 buckets: 256 KiB. */
const BITS = 16;

/** Weight of the estimate by single bytes, in counted groups. */
const UNSEEN_WEIGHT = 1000;

function bucket(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> (32 - BITS);
}
