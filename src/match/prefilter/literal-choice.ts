import { ByteSet } from "../filter/byte-set.ts";
import { type GramFrequency, wordAt } from "./gram-frequency.ts";
import type { Requirement, Sequence } from "./literals.ts";

/** A sequence and the groups of four bytes by which it is found: one for each alignment to the words that the scan looks at. */
export interface Literal {
  readonly sequence: Sequence;
  readonly grams: readonly Gram[];
}

export interface Gram {
  /** Where the group begins in the sequence: -1 to its length - 3. A place outside the sequence matches any byte. */
  readonly offset: number;
  readonly words: readonly number[];
}

/** Literals of which a match needs at least one. */
export interface Choice {
  readonly literals: readonly Literal[];
  /** Visits to the table of words per byte of traffic. */
  readonly cost: number;
}

/**
 * The cheapest requirement in traffic of these frequencies when the scan looks at one word every `stride` bytes; null when none is
 * findable. `crowd` has the literals of the patterns before, and gets this choice.
 */
export function chooseLiterals(
  requirements: readonly Requirement[],
  frequency: GramFrequency,
  stride: number,
  crowd: Crowd = new Crowd(),
): Choice | null {
  let best: readonly Literal[] | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const requirement of requirements) {
    let cost = 0;
    const literals: Literal[] = [];
    for (const sequence of requirement) {
      const priced = literalOf(sequence, frequency, stride, crowd);
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
    if (setsAt(sequence, offset, MAX_WORDS) !== null) residues.add((offset + stride) % stride);
  }
  return residues.size === stride;
}

/** Bound on the words of a group with classes: more would fill the tables. */
const MAX_WORDS = 512;

/** In visits to the table of words: a line that turns out not to match (a string and a regular expression), and the collisions from a word in the table. */
const LINE_COST = 30;
const WORD_COST = 1e-6;

function literalOf(
  sequence: Sequence,
  frequency: GramFrequency,
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
      const gram = gramAt(sequence, offset, bound, frequency);
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

interface PricedGram extends Gram {
  /** The share of places in the traffic at which one of the words stands, 0 to 1. */
  readonly share: number;
  readonly cost: number;
}

/** Groups of more words are used only where an alignment has no other. */
const FEW_WORDS = 32;

function gramAt(
  sequence: Sequence,
  offset: number,
  bound: number,
  frequency: GramFrequency,
): PricedGram | null {
  const sets = setsAt(sequence, offset, bound);
  if (sets === null) return null;
  const words = wordsOf(sets);
  let share = 0;
  for (const word of words) share += frequency.of(word);
  return { offset, words, share, cost: share + words.length * WORD_COST };
}

/** The four sets of a group; null when they have more than `bound` words. */
function setsAt(sequence: Sequence, offset: number, bound: number): readonly ByteSet[] | null {
  let product = 1;
  for (let i = offset; i < offset + 4; i++) product *= (sequence[i] ?? ANY).size;
  if (product > bound) return null;
  return [0, 1, 2, 3].map((i) => sequence[offset + i] ?? ANY);
}

const ANY = new ByteSet().complement();

function wordsOf(sets: readonly ByteSet[]): readonly number[] {
  const [first, second, third, fourth] = sets.map((set) => set.members()) as [Bytes, Bytes, Bytes, Bytes];
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
