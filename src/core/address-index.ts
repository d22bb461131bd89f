import { type Address, V4_MARK } from "./address.ts";

/**
 * Finds the slot of a 128-bit key. Open addressing over typed arrays; the caller owns the slots and says which are
 * in use, so counters, the book and address sets keep their own columns beside the keys.
 *
 *      hash(key) ─ low 4 bits ─► shard ─ the rest ─► [ slot+1 | 0 | ~slot … ]      slot+1: IPv4, ~slot: any other key
 *
 *      slot      0 1 2 …      low: w3      high: w0, w1, w2 ^ V4_MARK, which IPv4 does not need
 *
 * Sixteen shards grow one at a time, so no single insertion moves a million entries. The hash has a random seed:
 * attackers choose the keys, but do not know the seed.
 */
export class AddressIndex {
  #low: Int32Array;
  /** Three words a slot, all zero for IPv4; empty until the first key that is not IPv4. */
  #high = new Int32Array(0);
  readonly #shards: Int32Array[];
  readonly #used: Int32Array;
  readonly #seed: number;

  constructor(slots: number, seed: number = Math.random() * 2 ** 32) {
    this.#low = new Int32Array(slots);
    this.#shards = Array.from({ length: SHARDS }, () => new Int32Array(FIRST_SHARD_SIZE));
    this.#used = new Int32Array(SHARDS);
    this.#seed = seed | 0;
  }

  /** Slots there is room for. */
  get slots(): number {
    return this.#low.length;
  }

  /** Bytes held, for the memory report. */
  get bytes(): number {
    return this.#shards.reduce(
      (sum, shard) => sum + shard.byteLength,
      this.#low.byteLength + this.#high.byteLength,
    );
  }

  /** Makes room for more slots. Slots in use keep their numbers. */
  grow(slots: number): void {
    this.#low = grown(this.#low, slots);
    if (this.#high.length > 0) this.#high = grown(this.#high, slots * 3);
  }

  /** The slot of a key, or -1. */
  find(w0: number, w1: number, w2: number, w3: number): number {
    const hash = this.#hash(w0, w1, w2, w3);
    const shard = this.#shards[hash & SHARD_MASK] as Int32Array;
    const mask = shard.length - 1;
    const low = this.#low;
    const v4 = isV4(w0, w1, w2);
    for (let i = (hash >>> SHARD_BITS) & mask; ; i = (i + 1) & mask) {
      const entry = shard[i] as number;
      if (entry === 0) return -1;
      if (entry > 0 !== v4) continue;
      const slot = slotOf(entry);
      if (low[slot] === w3 && (v4 || this.#isHigh(slot, w0, w1, w2))) return slot;
    }
  }

  /** Binds a key that is not yet in the index to an unused slot. */
  insert(slot: number, w0: number, w1: number, w2: number, w3: number): void {
    this.#low[slot] = w3;
    const v4 = isV4(w0, w1, w2);
    if (!v4 || this.#high.length > 0) this.#setHigh(slot, w0, w1, w2);
    const hash = this.#hash(w0, w1, w2, w3);
    const n = hash & SHARD_MASK;
    const used = (this.#used[n] as number) + 1;
    this.#used[n] = used;
    const shard = this.#shards[n] as Int32Array;
    if (used * 2 > shard.length) this.#shards[n] = this.#doubled(shard);
    place(this.#shards[n] as Int32Array, hash >>> SHARD_BITS, v4 ? slot + 1 : ~slot);
  }

  /** Unbinds a slot's key. Entries behind the hole move up, so searches stay short without tombstones. */
  remove(slot: number): void {
    const hash = this.#hashOfSlot(slot);
    const n = hash & SHARD_MASK;
    const shard = this.#shards[n] as Int32Array;
    const mask = shard.length - 1;
    let hole = (hash >>> SHARD_BITS) & mask;
    while (slotOf(shard[hole] as number) !== slot) {
      if (shard[hole] === 0) return;
      hole = (hole + 1) & mask;
    }
    for (let i = (hole + 1) & mask; (shard[i] as number) !== 0; i = (i + 1) & mask) {
      const home = (this.#hashOfSlot(slotOf(shard[i] as number)) >>> SHARD_BITS) & mask;
      if (((i - home) & mask) >= ((i - hole) & mask)) {
        shard[hole] = shard[i] as number;
        hole = i;
      }
    }
    shard[hole] = 0;
    this.#used[n] = (this.#used[n] as number) - 1;
  }

  addressOf(slot: number): Address {
    return addressIn(this.#low, this.#high, slot);
  }

  /** The keys of the slots from `from` to below `to`, as they are now, by the distance from `from`. */
  copy(from: number, to: number): (n: number) => Address {
    const low = this.#low.slice(from, to);
    const high = this.#high.slice(from * 3, to * 3);
    return (n) => addressIn(low, high, n);
  }

  /** Entries that a search for the key reads: an attacker who chooses keys wants many. */
  probes(w0: number, w1: number, w2: number, w3: number): number {
    const hash = this.#hash(w0, w1, w2, w3);
    const shard = this.#shards[hash & SHARD_MASK] as Int32Array;
    const mask = shard.length - 1;
    const slot = this.find(w0, w1, w2, w3);
    let n = 1;
    for (
      let i = (hash >>> SHARD_BITS) & mask;
      shard[i] !== 0 && slotOf(shard[i] as number) !== slot;
      i = (i + 1) & mask
    )
      n++;
    return n;
  }

  #doubled(shard: Int32Array): Int32Array {
    const bigger = new Int32Array(shard.length * 2);
    for (const entry of shard) {
      if (entry !== 0) place(bigger, this.#hashOfSlot(slotOf(entry)) >>> SHARD_BITS, entry);
    }
    return bigger;
  }

  #isHigh(slot: number, w0: number, w1: number, w2: number): boolean {
    const h = slot * 3;
    const high = this.#high;
    return high[h] === w0 && high[h + 1] === w1 && high[h + 2] === (w2 ^ V4_MARK);
  }

  #setHigh(slot: number, w0: number, w1: number, w2: number): void {
    if (this.#high.length === 0) this.#high = new Int32Array(this.#low.length * 3);
    const h = slot * 3;
    this.#high[h] = w0;
    this.#high[h + 1] = w1;
    this.#high[h + 2] = w2 ^ V4_MARK;
  }

  #hashOfSlot(slot: number): number {
    const { w0, w1, w2, w3 } = this.addressOf(slot);
    return this.#hash(w0, w1, w2, w3);
  }

  /** Mixes in each word with the rounds of MurmurHash3's 32-bit variant (Austin Appleby, public domain). */
  #hash(w0: number, w1: number, w2: number, w3: number): number {
    let h = round(this.#seed, w3);
    h = round(h, w2);
    if ((w0 | w1) !== 0) h = round(round(h, w1), w0);
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    return (h ^ (h >>> 16)) >>> 0;
  }
}

const SHARD_BITS = 4;
const SHARDS = 1 << SHARD_BITS;
const SHARD_MASK = SHARDS - 1;
const FIRST_SHARD_SIZE = 16;

function addressIn(low: Int32Array, high: Int32Array, slot: number): Address {
  const w3 = low[slot] as number;
  if (high.length === 0) return { w0: 0, w1: 0, w2: V4_MARK, w3 };
  const h = slot * 3;
  return { w0: high[h] as number, w1: high[h + 1] as number, w2: (high[h + 2] as number) ^ V4_MARK, w3 };
}

function round(h: number, word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  const x = h ^ Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
  return (Math.imul((x << 13) | (x >>> 19), 5) + 0xe6546b64) | 0;
}

function place(shard: Int32Array, hash: number, entry: number): void {
  const mask = shard.length - 1;
  let i = hash & mask;
  while (shard[i] !== 0) i = (i + 1) & mask;
  shard[i] = entry;
}

/** The slot of an entry; -1 for an empty one. */
function slotOf(entry: number): number {
  return entry < 0 ? ~entry : entry - 1;
}

function isV4(w0: number, w1: number, w2: number): boolean {
  return w2 === V4_MARK && (w0 | w1) === 0;
}

function grown(column: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const bigger = new Int32Array(length);
  bigger.set(column);
  return bigger;
}
