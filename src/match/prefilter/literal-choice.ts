import { type Gram, type GramPrices, type PricedGram, wordCount } from "./gram-prices.ts";
import type { Requirement, Sequence } from "./literals.ts";

/** A sequence and the groups of four bytes by which it is found: one for each alignment to the words that the scan looks at. */
export interface Literal {
  readonly sequence: Sequence;
  readonly grams: readonly Gram[];
}

/** Literals of which a match needs at least one. */
export interface Choice {
  readonly literals: readonly Literal[];
  /** Visits to the table of words per byte of traffic. */
  readonly cost: number;
}

/**
 * The cheapest requirement at these prices when the scan looks at one word every `stride` bytes; null when none is
 * findable. `crowd` has the literals of the patterns before, and gets this choice.
 */
export function chooseLiterals(
  requirements: readonly Requirement[],
  prices: GramPrices,
  stride: number,
  crowd: Crowd = new Crowd(),
): Choice | null {
  let best: readonly Literal[] | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const requirement of requirements) {
    let cost = 0;
    const literals: Literal[] = [];
    for (const sequence of requirement) {
      const priced = literalOf(sequence, prices, stride, crowd);
      cost += priced === null ? Number.POSITIVE_INFINITY : priced.cost;
      if (cost >= least || priced === null) break;
      literals.push(priced.literal);
    }
    if (cost < least && literals.length === requirement.length) {
      least = cost;
      best = literals;
    }
  }
  for (const literal of best ?? []) crowd.add(literal);
  return best === null ? null : { literals: best, cost: least };
}

/**
 * Counts the literals of each word, so that the choice can spread them. Patterns of one program begin alike and would all choose the same
 * rare word; a line that repeats this word would then cost a comparison per literal and place: 9 ms for 8 KiB with 800 literals.
 */
export class Crowd {
  readonly #known = new Set<string>();
  readonly #counts = new Map<number, number>();

  /** Adds a literal once: patterns share equal ones. */
  add({ sequence, grams }: Literal): void {
    const key = keyOf(sequence);
    if (this.#known.has(key)) return;
    this.#known.add(key);
    for (const { words } of grams) {
      for (const word of words) this.#counts.set(word, (this.#counts.get(word) ?? 0) + 1);
    }
  }

  has(sequence: Sequence): boolean {
    return this.#known.has(keyOf(sequence));
  }

  /** By how much one literal more would exceed `most` at its fullest word. */
  over(words: readonly number[], most: number): number {
    let over = 0;
    for (const word of words) over = Math.max(over, (this.#counts.get(word) ?? 0) + 1 - most);
    return over;
  }
}

/** Literals per word and byte of the stride, where there is a choice: a longer stride looks at fewer words, so each may have more. */
const MOST_LITERALS = 3;
/** Cost per literal above that; outweighs all else, since a word at every place of the traffic costs 1. */
const CROWD_COST = 2;

/** Equal for equal sequences. */
export function keyOf(sequence: Sequence): string {
  return sequence.map((set) => set.members().join()).join(";");
}

/**
 * Whether looking at one word every `stride` bytes finds the sequence: it must be longer than the stride and not too vague. Then one
 * of the words contains three or four of its bytes, at every alignment.
 */
export function isFindable(sequence: Sequence, stride: number): boolean {
  if (sequence.length <= stride) return false;
  const residues = new Set<number>();
  for (let offset = -1; offset <= sequence.length - 3; offset++) {
    if (wordCount(sequence, offset) <= MAX_WORDS) residues.add((offset + stride) % stride);
  }
  return residues.size === stride;
}

/** Bound on the words of a group with classes: more would fill the tables. */
const MAX_WORDS = 512;

/** In visits to the table of words: a line that turns out not to match (a string and a regular expression). */
const LINE_COST = 30;

function literalOf(
  sequence: Sequence,
  prices: GramPrices,
  stride: number,
  crowd: Crowd,
): { literal: Literal; cost: number } | null {
  const isKnown = crowd.has(sequence);
  const best: (PricedGram | undefined)[] = [];
  let rarest = 1;
  if (sequence.length <= stride) return null;
  for (const bound of [FEW_WORDS, MAX_WORDS]) {
    for (let offset = -1; offset <= sequence.length - 3; offset++) {
      const residue = (offset + stride) % stride;
      const rival = best[residue];
      if (bound === MAX_WORDS && rival !== undefined) continue;
      const gram = prices.of(sequence, offset, bound);
      if (gram === null) continue;
      rarest = Math.min(rarest, gram.share);
      const cost = gram.cost + (isKnown ? 0 : CROWD_COST * crowd.over(gram.words, MOST_LITERALS * stride));
      if (rival === undefined || cost < rival.cost) best[residue] = { ...gram, cost };
    }
  }
  let cost = rarest * LINE_COST;
  const grams: Gram[] = [];
  for (let residue = 0; residue < stride; residue++) {
    const gram = best[residue];
    if (gram === undefined) return null;
    cost += gram.cost / stride;
    grams.push(gram);
  }
  return { literal: { sequence, grams }, cost };
}

/** Groups of more words are used only where an alignment has no other. */
const FEW_WORDS = 32;
