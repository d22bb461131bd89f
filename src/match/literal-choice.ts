import { ByteSet } from "./byte-set.ts";
import { type GramFrequency, wordAt } from "./gram-frequency.ts";
import { type Requirement, requirementsOf, type Sequence } from "./literals.ts";

/** A sequence and the groups of four by which it is found: one for each way it can lie across aligned words. */
export interface Literal {
  readonly sequence: Sequence;
  readonly grams: readonly Gram[];
}

export interface Gram {
  /** Where in the sequence the group begins: -1 to its length - 3. Beyond its ends any byte may stand. */
  readonly offset: number;
  readonly words: readonly number[];
}

/** The requirements of a pattern that can be looked for by aligned words: none if its texts are too short or too vague. */
export function findableRequirements(source: string): Requirement[] {
  return requirementsOf(source).filter((requirement) => requirement.every(isFindable));
}

/** The requirement that costs least in such traffic, as literals of which one must occur; null when none will do. */
export function chooseLiterals(
  requirements: readonly Requirement[],
  frequency: GramFrequency,
): readonly Literal[] | null {
  let best: readonly Literal[] | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const requirement of requirements) {
    let cost = 0;
    const literals: Literal[] = [];
    for (const sequence of requirement) {
      const priced = literalOf(sequence, frequency);
      cost += priced === null ? Number.POSITIVE_INFINITY : priced.cost;
      if (cost >= least || priced === null) break;
      literals.push(priced.literal);
    }
    if (cost < least && literals.length === requirement.length) {
      least = cost;
      best = literals;
    }
  }
  return best;
}

/** Shorter ones cannot be found: of 5 bytes, three or four stand in one aligned word whatever the place. */
const SHORTEST = 5;

/** More words than this for one group would fill the tables for little. */
const MAX_WORDS = 512;

/**
 * What things cost, in units of one visit to the table of words: a line that turns out not to match is a string and a
 * regular expression for nothing; a word in the tables makes others collide a little more often.
 */
const LINE_COST = 30;
const WORD_COST = 1e-6;

function isFindable(sequence: Sequence): boolean {
  if (sequence.length < SHORTEST) return false;
  const residues = new Set<number>();
  for (let offset = -1; offset <= sequence.length - 3; offset++) {
    if (setsAt(sequence, offset) !== null) residues.add((offset + 4) & 3);
  }
  return residues.size === 4;
}

function literalOf(sequence: Sequence, frequency: GramFrequency): { literal: Literal; cost: number } | null {
  const best: (PricedGram | null)[] = [null, null, null, null];
  let rarest = 1;
  for (let offset = -1; offset <= sequence.length - 3; offset++) {
    const gram = gramAt(sequence, offset, frequency);
    if (gram === null) continue;
    rarest = Math.min(rarest, gram.share);
    const residue = (offset + 4) & 3;
    const rival = best[residue];
    if (rival === null || rival === undefined || gram.cost < rival.cost) best[residue] = gram;
  }
  let cost = rarest * LINE_COST;
  const grams: Gram[] = [];
  for (const gram of best) {
    if (gram === null) return null;
    cost += gram.cost;
    grams.push(gram);
  }
  return { literal: { sequence, grams }, cost };
}

interface PricedGram extends Gram {
  /** The share of places in the traffic at which one of the words stands. */
  readonly share: number;
  readonly cost: number;
}

function gramAt(sequence: Sequence, offset: number, frequency: GramFrequency): PricedGram | null {
  const sets = setsAt(sequence, offset);
  if (sets === null) return null;
  const words = wordsOf(sets);
  const share = words.reduce((sum, word) => sum + frequency.of(word), 0);
  return { offset, words, share, cost: share + words.length * WORD_COST };
}

/** The four sets of a group; null when too many words fit them. */
function setsAt(sequence: Sequence, offset: number): ByteSet[] | null {
  const sets = [0, 1, 2, 3].map((i) => sequence[offset + i] ?? ANY);
  return sets.reduce((product, set) => product * set.size, 1) > MAX_WORDS ? null : sets;
}

const ANY = new ByteSet().complement();

function wordsOf(sets: readonly ByteSet[]): number[] {
  let groups: number[][] = [[]];
  for (const set of sets) {
    const members = set.members();
    groups = groups.flatMap((group) => members.map((byte) => [...group, byte]));
  }
  return groups.map((group) => wordAt(Uint8Array.from(group), 0));
}
