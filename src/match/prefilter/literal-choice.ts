import { ByteSet } from "../filter/byte-set.ts";
import { type GramFrequency, wordAt } from "./gram-frequency.ts";
import type { Requirement, Sequence } from "./literals.ts";

/** A sequence and the groups of four by which it is found: one for each way it can lie across the words that are looked at. */
export interface Literal {
  readonly sequence: Sequence;
  readonly grams: readonly Gram[];
}

export interface Gram {
  /** Where in the sequence the group begins: -1 to its length - 3. Beyond its ends any byte may stand. */
  readonly offset: number;
  readonly words: readonly number[];
}

/** Literals of which one must occur. */
export interface Choice {
  readonly literals: readonly Literal[];
  /** For each byte of traffic, in visits to the table of words. */
  readonly cost: number;
}

/**
 * The requirement that costs least in such traffic, when one word is looked at in every `stride` bytes; null when none will do.
 * `crowd` knows what was chosen for the patterns before.
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
 * Counts how many literals are looked for by each word. Rare words are shared by many, as all patterns of a program begin alike, and a
 * line made of one such word would have all their literals compared at each place: 9 ms for 8 KiB with 800 of them.
 */
export class Crowd {
  readonly #known = new Set<string>();
  readonly #counts = new Map<number, number>();

  /** One that was added before costs nothing more: patterns share it. */
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

  /** How many more than `most` there would be. */
  over(words: readonly number[], most: number): number {
    let over = 0;
    for (const word of words) over = Math.max(over, (this.#counts.get(word) ?? 0) + 1 - most);
    return over;
  }
}

/** Literals for one word, where there is a choice, for each byte of the stride: the fewer words are looked at, the more may stand for one. */
const MOST_LITERALS = 3;
/** More than anything else: a word in all of the traffic costs 1. */
const CROWD_COST = 2;

/** What tells one sequence from others. */
export function keyOf(sequence: Sequence): string {
  return sequence.map((set) => set.members().join()).join(";");
}

/**
 * Whether a sequence can be looked for by one word in every `stride` bytes: not if it is too short or too vague. Of one byte more
 * than the stride, three or four stand in one of those words, however it lies.
 */
export function isFindable(sequence: Sequence, stride: number): boolean {
  if (sequence.length <= stride) return false;
  const residues = new Set<number>();
  for (let offset = -1; offset <= sequence.length - 3; offset++) {
    if (setsAt(sequence, offset, MAX_WORDS) !== null) residues.add((offset + stride) % stride);
  }
  return residues.size === stride;
}

/** More words than this for one group would fill the tables for little. */
const MAX_WORDS = 512;

/**
 * What things cost, in units of one visit to the table of words: a line that turns out not to match is a string and a
 * regular expression for nothing; a word in the tables makes others collide a little more often.
 */
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
  /** The share of places in the traffic at which one of the words stands. */
  readonly share: number;
  readonly cost: number;
}

/** Groups of more words than this are only looked at where there is no other. */
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

/** The four sets of a group; null when more words than the bound fit them. */
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
