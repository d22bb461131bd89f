import { keyOf, type Literal } from "./literal-choice.ts";
import type { LiteralPlan } from "./literal-plan.ts";
import type { Sequence } from "./literals.ts";

/**
 * All literals of a matcher in flat arrays for the scan:
 *
 *      word ─► flags (one byte for each hash) ─► keys/slots (exact words) ─► entries (literal, offset) ─► bytes of the literal ─► owners
 *
 * Far fewer words pass each arrow than the one before.
 */
export interface GramTable {
  /** The scan looks at one word every `stride` bytes. */
  readonly stride: number;
  /** 1 at `word * HASH >>> flagShift` for each word, else 0. Bits instead of bytes take an eighth of the memory and twice the time. */
  readonly flags: Uint8Array;
  readonly flagShift: number;
  /** Open addressing from `word * HASH >>> keyShift` on. A slot is the place of the word's first entry, or -1 when empty. */
  readonly keys: Int32Array;
  readonly slots: Int32Array;
  readonly keyShift: number;
  /** Pairs of literal and offset; the entries of a word are contiguous and end with -1. */
  readonly entries: Int32Array;
  /** The members of all literals: a byte, or -1 - n for the n-th class. */
  readonly members: Int16Array;
  /** Where the members of each literal begin, then the number of members. */
  readonly memberStart: Int32Array;
  /** 256 flags for each class. */
  readonly classes: Uint8Array;
  /** The patterns that need each literal. */
  readonly owners: Int32Array;
  readonly ownerStart: Int32Array;
}

/** 2^32 divided by the golden ratio, odd: a multiplicative hash. */
export const HASH = 0x9e3779b1 | 0;

export function buildGramTable({ stride, byPattern }: LiteralPlan): GramTable {
  const { literals, owners } = merge(byPattern);
  const byWord = new Map<number, number[]>();
  literals.forEach((literal, n) => {
    for (const { offset, words } of literal.grams) {
      for (const word of words) {
        const list = byWord.get(word);
        if (list === undefined) byWord.set(word, [n, offset]);
        else list.push(n, offset);
      }
    }
  });
  return {
    stride,
    ...layWords(byWord),
    ...layMembers(literals.map((literal) => literal.sequence)),
    ...layOwners(owners),
  };
}

/** Patterns that need the same sequence share one literal. */
function merge(byPattern: readonly (readonly Literal[])[]): { literals: Literal[]; owners: number[][] } {
  const literals: Literal[] = [];
  const owners: number[][] = [];
  const places = new Map<string, number>();
  byPattern.forEach((list, pattern) => {
    for (const literal of list) {
      const key = keyOf(literal.sequence);
      let place = places.get(key);
      if (place === undefined) {
        place = literals.push(literal) - 1;
        owners.push([]);
        places.set(key, place);
      }
      if (owners[place]?.at(-1) !== pattern) owners[place]?.push(pattern);
    }
  });
  return { literals, owners };
}

function layWords(byWord: ReadonlyMap<number, readonly number[]>) {
  const flagBits = Math.min(MOST_FLAG_BITS, Math.max(FEWEST_FLAG_BITS, bitsFor(byWord.size * FLAGS_A_WORD)));
  const flagShift = 32 - flagBits;
  const flags = new Uint8Array(1 << flagBits);
  const keyBits = Math.max(4, bitsFor(byWord.size * 2));
  const keyShift = 32 - keyBits;
  const keys = new Int32Array(1 << keyBits);
  const slots = new Int32Array(1 << keyBits).fill(-1);
  const entries: number[] = [];
  for (const [word, list] of byWord) {
    const hash = Math.imul(word, HASH);
    flags[hash >>> flagShift] = 1;
    let slot = hash >>> keyShift;
    while (slots[slot] !== -1) slot = (slot + 1) & (keys.length - 1);
    keys[slot] = word;
    slots[slot] = entries.length;
    entries.push(...list, -1);
  }
  return { flags, flagShift, keys, slots, keyShift, entries: Int32Array.from(entries) };
}

/** 64 to 256 KiB: all fit the second-level cache, where the first-level cache is hardly faster, and more flags mean fewer collisions. */
const FEWEST_FLAG_BITS = 16;
const MOST_FLAG_BITS = 18;
const FLAGS_A_WORD = 64;

/** The lowest number of bits whose power of two is more than `count`. */
function bitsFor(count: number): number {
  return 32 - Math.clz32(count);
}

function layMembers(sequences: readonly Sequence[]) {
  const members: number[] = [];
  const memberStart = [0];
  const classes: number[] = [];
  const classPlaces = new Map<string, number>();
  for (const sequence of sequences) {
    for (const set of sequence) {
      const bytes = set.members();
      if (bytes.length === 1) members.push(bytes[0]!);
      else {
        const key = bytes.join();
        let place = classPlaces.get(key);
        if (place === undefined) {
          place = classPlaces.size;
          classPlaces.set(key, place);
          for (let byte = 0; byte < 256; byte++) classes.push(Number(set.has(byte)));
        }
        members.push(-1 - place);
      }
    }
    memberStart.push(members.length);
  }
  return {
    members: Int16Array.from(members),
    memberStart: Int32Array.from(memberStart),
    classes: Uint8Array.from(classes),
  };
}

function layOwners(owners: readonly (readonly number[])[]) {
  const ownerStart = [0];
  for (const list of owners) ownerStart.push(ownerStart.at(-1)! + list.length);
  return { owners: Int32Array.from(owners.flat()), ownerStart: Int32Array.from(ownerStart) };
}
