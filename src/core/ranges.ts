import { type Address, address, isV4, V4_MARK } from "./address.ts";
import { type Prefix, prefixOf } from "./prefix.ts";
import { atOnce, type Steps } from "./turns.ts";

/**
 * Many ranges of addresses of one family in one typed array:
 *
 *      bounds   │ first 0 │ last 0 │ first 1 │ last 1 │ …      both ends are included
 *
 * An end is one word for IPv4 and four for IPv6, unsigned and in network order. Sorted ranges are in order and neither overlap nor
 * touch. Functions that walk through ranges are generators that yield now and then: half a million take a while.
 */
export interface Ranges {
  readonly words: 1 | 4;
  readonly bounds: Uint32Array;
}

/** Sorted ranges of both families. */
export interface AddressRanges {
  readonly v4: Ranges;
  readonly v6: Ranges;
}

export const NO_RANGES: AddressRanges = {
  v4: { words: 1, bounds: new Uint32Array(0) },
  v6: { words: 4, bounds: new Uint32Array(0) },
};

/** Collects ranges in any order. */
export class RangeCollector {
  readonly words: 1 | 4;
  #bounds: Uint32Array;
  #length = 0;

  constructor(words: 1 | 4) {
    this.words = words;
    this.#bounds = new Uint32Array(words * 128);
  }

  /** The number of ranges. */
  get size(): number {
    return this.#length / (this.words * 2);
  }

  /** An IPv4 range with its ends as words. */
  addV4(first: number, last: number): void {
    this.#claim();
    this.#bounds[this.#length++] = first;
    this.#bounds[this.#length++] = last;
  }

  /** Both ends must be of the collector's family. */
  add(first: Address, last: Address): void {
    if (this.words === 1) return this.addV4(first.w3, last.w3);
    this.#claim();
    for (const { w0, w1, w2, w3 } of [first, last]) {
      this.#bounds[this.#length++] = w0;
      this.#bounds[this.#length++] = w1;
      this.#bounds[this.#length++] = w2;
      this.#bounds[this.#length++] = w3;
    }
  }

  /** A view that is valid until more is added. */
  get ranges(): Ranges {
    return { words: this.words, bounds: this.#bounds.subarray(0, this.#length) };
  }

  #claim(): void {
    if (this.#length + this.words * 2 <= this.#bounds.length) return;
    const bounds = new Uint32Array(this.#bounds.length * 2);
    bounds.set(this.#bounds);
    this.#bounds = bounds;
  }
}

/** The sorted ranges of some networks, without pauses: for hundreds of networks, not for a list. */
export function rangesOf(prefixes: Iterable<Prefix>): AddressRanges {
  const v4 = new RangeCollector(1);
  const v6 = new RangeCollector(4);
  for (const prefix of prefixes) {
    const { first, last } = endsOf(prefix);
    (isV4(first) ? v4 : v6).add(first, last);
  }
  return { v4: atOnce(mergeRanges(v4.ranges)), v6: atOnce(mergeRanges(v6.ranges)) };
}

/** The first and last address of a network. */
export function endsOf(prefix: Prefix): { readonly first: Address; readonly last: Address } {
  const first = prefixOf(prefix.address, prefix.length).address;
  const host = isV4(first) ? prefix.length + 96 : prefix.length;
  const low = (word: number, from: number): number => {
    const bits = host - from;
    return bits >= 32 ? word : bits <= 0 ? -1 : word | (-1 >>> bits);
  };
  return { first, last: address(low(first.w0, 0), low(first.w1, 32), low(first.w2, 64), low(first.w3, 96)) };
}

export function countRanges({ words, bounds }: Ranges): number {
  return bounds.length / (words * 2);
}

/** Addresses in sorted ranges, as a float: IPv6 has many. */
export function* countAddresses({ words, bounds }: Ranges): Steps<number> {
  let sum = 0;
  for (let at = 0; at < bounds.length; at += words * 2) {
    if ((at & STEP_MASK) === 0) yield;
    let size = 0;
    for (let k = 0; k < words; k++) size = size * 2 ** 32 + bounds[at + words + k]! - bounds[at + k]!;
    sum += size + 1;
  }
  return sum;
}

/** The number of the sorted range that contains an address, or -1. */
export function rangeAt(ranges: Ranges, a: Address): number {
  const { words, bounds } = ranges;
  if (isV4(a) !== (words === 1)) return -1;
  const key = words === 1 ? Uint32Array.of(a.w3) : Uint32Array.of(a.w0, a.w1, a.w2, a.w3);
  let low = 0;
  let high = countRanges(ranges);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compare(bounds, middle * words * 2 + words, key, 0, words) < 0) low = middle + 1;
    else high = middle;
  }
  if (low === countRanges(ranges)) return -1;
  return compare(bounds, low * words * 2, key, 0, words) <= 0 ? low : -1;
}

/** Sorts ranges, and merges ranges that overlap or touch. */
export function* mergeRanges(ranges: Ranges): Steps<Ranges> {
  const { words, bounds } = ranges;
  const order = yield* sortOrder(ranges);
  const merged = new Uint32Array(bounds.length);
  const behind = new Uint32Array(words);
  let end = 0;
  for (let i = 0; i < order.length; i++) {
    if ((i & STEP_MASK) === 0) yield;
    const at = order[i]! * words * 2;
    if (end > 0) {
      const last = end - words;
      const atTop = !next(merged, last, behind, words);
      if (atTop || compare(bounds, at, behind, 0, words) <= 0) {
        if (compare(bounds, at + words, merged, last, words) > 0)
          copy(bounds, at + words, merged, last, words);
        continue;
      }
    }
    copy(bounds, at, merged, end, words * 2);
    end += words * 2;
  }
  return { words, bounds: cutTo(merged, end) };
}

/**
 * Sorted ranges without the holes, which are sorted as well. Calls `met` for each hole that overlapped ranges, with its number and
 * how many ranges it overlapped.
 */
export function* withoutRanges(
  ranges: Ranges,
  holes: Ranges,
  met: (hole: number, ranges: number) => void,
): Steps<Ranges> {
  const { words, bounds } = ranges;
  const stride = words * 2;
  const kept = new Uint32Array(bounds.length + holes.bounds.length);
  const current = new Uint32Array(stride);
  const took = new Uint32Array(holes.bounds.length / stride);
  let end = 0;
  let hole = 0;
  for (let at = 0; at < bounds.length; at += stride) {
    if ((at & STEP_MASK) === 0) yield;
    copy(bounds, at, current, 0, stride);
    // Holes that end before this range begins are behind every later range too.
    while (hole < holes.bounds.length && compare(holes.bounds, hole + words, current, 0, words) < 0)
      hole += stride;
    let rest = true;
    for (let h = hole; rest && h < holes.bounds.length; h += stride) {
      if (compare(holes.bounds, h, current, words, words) > 0) break;
      took[h / stride]!++;
      if (compare(holes.bounds, h, current, 0, words) > 0) {
        copy(current, 0, kept, end, words);
        copy(holes.bounds, h, kept, end + words, words);
        previous(kept, end + words, words);
        end += stride;
      }
      rest = compare(holes.bounds, h + words, current, words, words) < 0;
      if (rest) next(holes.bounds, h + words, current, words);
    }
    if (!rest) continue;
    copy(current, 0, kept, end, stride);
    end += stride;
  }
  took.forEach((ranges, i) => ranges > 0 && met(i, ranges));
  return { words, bounds: cutTo(kept, end) };
}

/** The first addresses of networks of one length, `words` words each. */
export interface NetworksOfLength {
  /** 0–32 for IPv4, 0–128 for IPv6. */
  readonly length: number;
  readonly words: 1 | 4;
  readonly firsts: Uint32Array;
}

/** The fewest networks that cover exactly the sorted ranges, longest prefixes first. */
export function* networksOf({ words, bounds }: Ranges): Steps<readonly NetworksOfLength[]> {
  const width = words * 32;
  const levels: (Words | undefined)[] = [];
  const first = new Uint32Array(words);
  const last = new Uint32Array(words);
  let steps = 0;
  for (let at = 0; at < bounds.length; at += words * 2) {
    copy(bounds, at, first, 0, words);
    for (let more = true; more;) {
      if ((steps++ & STEP_MASK) === 0) yield;
      // As wide as its first address allows, and no wider than the range.
      let host = trailingZeros(first, words);
      lastOf(first, host, last, words);
      while (compare(last, 0, bounds, at + words, words) > 0) lastOf(first, --host, last, words);
      (levels[width - host] ??= new Words()).push(first);
      more = compare(last, 0, bounds, at + words, words) < 0;
      if (more) next(last, 0, first, words);
    }
  }
  return levels
    .flatMap((level, length) => (level === undefined ? [] : [{ length, words, firsts: level.view }]))
    .toReversed();
}

/** Counts the networks that `networksOf` returns. */
export function countNetworks(networks: readonly NetworksOfLength[]): number {
  return networks.reduce((sum, { words, firsts }) => sum + firsts.length / words, 0);
}

/** The address at an index of an array of ends or networks. */
export function addressIn({ words }: Pick<Ranges, "words">, array: Uint32Array, at: number): Address {
  if (words === 1) return address(0, 0, V4_MARK, array[at]!);
  return address(array[at]!, array[at + 1]!, array[at + 2]!, array[at + 3]!);
}

/** Rounds of a loop between two yields: well under a millisecond. */
const STEP_MASK = 0x3fff;

class Words {
  #words = new Uint32Array(64);
  #length = 0;

  push(more: Uint32Array): void {
    if (this.#length + more.length > this.#words.length) {
      const words = new Uint32Array(this.#words.length * 2);
      words.set(this.#words);
      this.#words = words;
    }
    this.#words.set(more, this.#length);
    this.#length += more.length;
  }

  get view(): Uint32Array {
    return this.#words.subarray(0, this.#length);
  }
}

/** The order of the ranges by their first addresses: radix sort, 16 bits at a time, from the lowest. */
function* sortOrder(ranges: Ranges): Steps<Uint32Array> {
  const { words, bounds } = ranges;
  const stride = words * 2;
  let order = new Uint32Array(countRanges(ranges));
  for (let i = 0; i < order.length; i++) order[i] = i;
  if (yield* isInOrder(ranges)) return order;
  let spare = new Uint32Array(order.length);
  for (let word = words - 1; word >= 0; word--) {
    for (const shift of [0, 16]) {
      const places = new Uint32Array(0x10000);
      for (let i = 0; i < order.length; i++) {
        if ((i & STEP_MASK) === 0) yield;
        places[(bounds[i * stride + word]! >>> shift) & 0xffff]!++;
      }
      // All equal: nothing to sort.
      if (places[(bounds[word]! >>> shift) & 0xffff] === order.length) continue;
      let before = 0;
      for (let digit = 0; digit < places.length; digit++) {
        const count = places[digit]!;
        places[digit] = before;
        before += count;
      }
      for (let i = 0; i < order.length; i++) {
        if ((i & STEP_MASK) === 0) yield;
        const range = order[i]!;
        const digit = (bounds[range * stride + word]! >>> shift) & 0xffff;
        spare[places[digit]!++] = range;
      }
      [order, spare] = [spare, order];
    }
  }
  return order;
}

/** Copies only if that saves much: copying megabytes takes milliseconds without a pause. */
function cutTo(array: Uint32Array, length: number): Uint32Array {
  return length > array.length * 0.7 ? array.subarray(0, length) : array.slice(0, length);
}

/** Most lists are sorted. */
function* isInOrder({ words, bounds }: Ranges): Steps<boolean> {
  const stride = words * 2;
  for (let at = stride; at < bounds.length; at += stride) {
    if ((at & STEP_MASK) === 0) yield;
    if (compare(bounds, at - stride, bounds, at, words) > 0) return false;
  }
  return true;
}

function compare(a: Uint32Array, i: number, b: Uint32Array, j: number, words: number): number {
  for (let k = 0; k < words; k++) {
    const difference = a[i + k]! - b[j + k]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

function copy(from: Uint32Array, i: number, to: Uint32Array, j: number, count: number): void {
  for (let k = 0; k < count; k++) to[j + k] = from[i + k]!;
}

/** Writes the next address to the beginning of `to`; returns false, and writes 0, after the last address. */
function next(from: Uint32Array, i: number, to: Uint32Array, words: number): boolean {
  let carry = true;
  for (let k = words - 1; k >= 0; k--) {
    const word = from[i + k]!;
    to[k] = carry ? word + 1 : word;
    carry = carry && word === 0xffffffff;
  }
  return !carry;
}

/** Decrements an address, which must not be the lowest. */
function previous(of: Uint32Array, i: number, words: number): void {
  for (let k = words - 1; k >= 0; k--) {
    const word = of[i + k]!;
    of[i + k] = word - 1;
    if (word !== 0) return;
  }
}

function trailingZeros(of: Uint32Array, words: number): number {
  let zeros = 0;
  for (let k = words - 1; k >= 0; k--) {
    const word = of[k]!;
    if (word !== 0) return zeros + 31 - Math.clz32(word & -word);
    zeros += 32;
  }
  return zeros;
}

/** The last address of the network that begins at `first` and has `host` host bits. */
function lastOf(first: Uint32Array, host: number, to: Uint32Array, words: number): void {
  for (let k = 0; k < words; k++) {
    const bits = host - (words - 1 - k) * 32;
    to[k] = first[k]! | (bits >= 32 ? -1 : bits <= 0 ? 0 : -1 >>> (32 - bits));
  }
}
