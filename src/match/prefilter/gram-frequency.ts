import { TYPICAL_TRAFFIC } from "./typical-traffic.ts";

/**
 * How often groups of four bytes occur in traffic, learned from some of it. A group that was not seen is taken to be as
 * likely as its bytes are. Groups are 32-bit numbers, the first byte lowest.
 */
export class GramFrequency {
  /** Counts by hash: groups that share a bucket look more frequent than they are, which is the harmless side. */
  readonly #groups = new Uint32Array(1 << BITS);
  readonly #bytes = new Float64Array(256);
  #total = 0;

  /** Groups learned so far. */
  get total(): number {
    return this.#total;
  }

  /** Learns the groups at every place of `bytes` from `start` to `end`, stepping by `step`. */
  learn(bytes: Uint8Array, start: number, end: number, step: number): void {
    for (let at = start; at + 4 <= end; at += step) {
      this.#groups[bucket(wordAt(bytes, at))]!++;
      this.#bytes[bytes[at]!]!++;
      this.#total++;
    }
  }

  /** The share of places at which the group stands. */
  of(word: number): number {
    let unseen = UNSEEN_WEIGHT;
    for (let i = 0; i < 32; i += 8) unseen *= (this.#bytes[(word >>> i) & 255]! + 0.05) / (this.#total + 13);
    return (this.#groups[bucket(word)]! + unseen) / (this.#total + UNSEEN_WEIGHT);
  }
}

/** What is assumed before anything was learned: groups of a few lines as Linux machines write them all day. */
export function typicalFrequency(): GramFrequency {
  const frequency = new GramFrequency();
  const bytes = Buffer.from(TYPICAL_TRAFFIC, "latin1");
  frequency.learn(bytes, 0, bytes.length, 1);
  return frequency;
}

/** Four bytes as a number, as WebAssembly loads it. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

const BITS = 16;

/** How many failures' worth of trust the guess by single bytes gets. */
const UNSEEN_WEIGHT = 1000;

function bucket(word: number): number {
  return Math.imul(word, 0x9e3779b1) >>> (32 - BITS);
}
