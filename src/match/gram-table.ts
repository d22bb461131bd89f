import { keyOf, type Literal } from "./literal-choice.ts";
import type { Sequence } from "./literals.ts";

/**
 * All literals of a matcher, laid out for the scan in flat arrays:
 *
 *      word ─► bitmap (one bit for each hash) ─► keys/slots (exact words) ─► entries (literal, offset) ─► bytes of the literal ─► owners
 *
 * Each arrow is taken by far fewer words than the one before.
 */
export interface GramTable {
  /** One bit a hash: `bitmap[h >>> 5] >>> h` for h = `word * HASH >>> bitmapShift`. */
  readonly bitmap: Int32Array;
  readonly bitmapShift: number;
  /** Open addressing at `word * HASH >>> keyShift`; a slot of -1 is empty, else the place of the word's first entry. */
  readonly keys: Int32Array;
  readonly slots: Int32Array;
  readonly keyShift: number;
  /** `literal, offset` pairs; a word's entries stand together and end with -1. */
  readonly entries: Int32Array;
  /** The literals' members one after the other: a byte, or -1 - n for the n-th class. */
  readonly members: Int16Array;
  /** Where a literal's members begin; one more than there are literals. */
  readonly memberStart: Int32Array;
  /** 256 flags for each class. */
  readonly classes: Uint8Array;
  /** What a literal is for: patterns by number. */
  readonly owners: Int32Array;
  readonly ownerStart: Int32Array;
}

export const HASH = 0x9e3779b1 | 0;

/** `wanted[i]` are the literals of which one must occur for the pattern with the number i. */
export function buildGramTable(wanted: readonly (readonly Literal[])[]): GramTable {
  const { literals, owners } = merge(wanted);
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
    ...layWords(byWord),
    ...layMembers(literals.map((literal) => literal.sequence)),
    ...layOwners(owners),
  };
}

/** Patterns that wait for the same sequence share one literal. */
function merge(wanted: readonly (readonly Literal[])[]): { literals: Literal[]; owners: number[][] } {
  const literals: Literal[] = [];
  const owners: number[][] = [];
  const places = new Map<string, number>();
  wanted.forEach((list, pattern) => {
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
  const bitmapBits = byWord.size <= SMALL_TABLE ? 17 : 20;
  const bitmapShift = 32 - bitmapBits;
  const bitmap = new Int32Array(1 << (bitmapBits - 5));
  const keyBits = Math.max(4, 32 - Math.clz32(byWord.size * 2));
  const keyShift = 32 - keyBits;
  const keys = new Int32Array(1 << keyBits);
  const slots = new Int32Array(1 << keyBits).fill(-1);
  const entries: number[] = [];
  for (const [word, list] of byWord) {
    const hash = Math.imul(word, HASH);
    const bit = hash >>> bitmapShift;
    bitmap[bit >>> 5]! |= 1 << bit;
    let slot = hash >>> keyShift;
    while (slots[slot] !== -1) slot = (slot + 1) & (keys.length - 1);
    keys[slot] = word;
    slots[slot] = entries.length;
    entries.push(...list, -1);
  }
  return { bitmap, bitmapShift, keys, slots, keyShift, entries: Int32Array.from(entries) };
}

/** Up to so many words a bitmap that fits the first cache (16 KiB) is as good as the large one (128 KiB). */
const SMALL_TABLE = 2000;

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
