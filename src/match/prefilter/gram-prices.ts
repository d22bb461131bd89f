import { ByteSet } from "../filter/byte-set.ts";
import { type GramFrequency, wordAt } from "./gram-frequency.ts";
import type { Sequence } from "./literals.ts";

/** A group of four bytes by which the scan finds a sequence. */
export interface Gram {
  /** Where the group begins in the sequence: -1 to its length - 3. A place outside the sequence matches any byte. */
  readonly offset: number;
  readonly words: readonly number[];
}

export interface PricedGram extends Gram {
  /** The share of places in the traffic at which one of the words stands, 0 to 1. */
  readonly share: number;
  readonly cost: number;
}

/**
 * The groups of sequences, priced for one traffic. Computes each group once: the patterns of a filter share most of their sequences, and the
 * groups are the same for every stride.
 */
export class GramPrices {
  readonly #frequency: GramFrequency;
  /** By sequence, then by offset + 1. */
  readonly #known = new Map<Sequence, PricedGram[]>();

  constructor(frequency: GramFrequency) {
    this.#frequency = frequency;
  }

  /** Null when the group has more than `bound` words. */
  of(sequence: Sequence, offset: number, bound: number): PricedGram | null {
    if (wordCount(sequence, offset) > bound) return null;
    let grams = this.#known.get(sequence);
    if (grams === undefined) this.#known.set(sequence, (grams = []));
    return (grams[offset + 1] ??= this.#price(sequence, offset));
  }

  #price(sequence: Sequence, offset: number): PricedGram {
    const words = wordsOf(sequence, offset);
    let share = 0;
    for (const word of words) share += this.#frequency.of(word);
    return { offset, words, share, cost: share + words.length * WORD_COST };
  }
}

/** In visits to the table of words: the collisions from a word in the table. */
const WORD_COST = 1e-6;

/** How many words match the group at `offset`. */
export function wordCount(sequence: Sequence, offset: number): number {
  let product = 1;
  for (let i = offset; i < offset + 4; i++) product *= (sequence[i] ?? ANY).size;
  return product;
}

const ANY = new ByteSet().complement();

function wordsOf(sequence: Sequence, offset: number): readonly number[] {
  const [first, second, third, fourth] = [0, 1, 2, 3].map((i) => (sequence[offset + i] ?? ANY).members()) as [
    Bytes,
    Bytes,
    Bytes,
    Bytes,
  ];
  const words: number[] = [];
  const group = new Uint8Array(4);
  for (group[0] of first) {
    for (group[1] of second) {
      for (group[2] of third) {
        for (group[3] of fourth) words.push(wordAt(group, 0));
      }
    }
  }
  return words;
}

type Bytes = readonly number[];
