import type { Address } from "./address.ts";

/**
 * Finds the slot of a 128-bit key. Open addressing over typed arrays; the caller owns the slots and says which are
 * in use, so that tallies, books and address sets lay their own columns beside the keys.
 *
 *      hash(key) ─ low 4 bits ─► shard ─ the rest ─► [ slot+1 | 0 | slot+1 … ]      keys: [w0 w1 w2 w3] × slot
 *
 * Sixteen shards grow one at a time, so no single insertion has to move a million entries. The hash is seeded by
 * chance: attackers choose the keys, and never see the seed.
 */
export class AddressIndex {
  #keys: Int32Array;
  readonly #shards: Int32Array[];
  readonly #used: Int32Array;
  readonly #seed: number;

  constructor(slots: number, seed: number = Math.random() * 2 ** 32) {
    this.#keys = new Int32Array(slots * 4);
    this.#shards = Array.from({ length: SHARDS }, () => new Int32Array(FIRST_SHARD_SIZE));
    this.#used = new Int32Array(SHARDS);
    this.#seed = seed | 0;
  }

  /** How many slots there is room for. */
  get slots(): number {
    return this.#keys.length >>> 2;
  }

  /** Bytes held, for the memory report. */
  get bytes(): number {
    return this.#shards.reduce((sum, shard) => sum + shard.byteLength, this.#keys.byteLength);
  }

  /** Makes room for more slots; those in use keep their numbers. */
  grow(slots: number): void {
    const keys = new Int32Array(slots * 4);
    keys.set(this.#keys);
    this.#keys = keys;
  }

  /** The slot of a key, or -1. */
  find(w0: number, w1: number, w2: number, w3: number): number {
    const hash = this.#hash(w0, w1, w2, w3);
    const shard = this.#shards[hash & SHARD_MASK] as Int32Array;
    const mask = shard.length - 1;
    const keys = this.#keys;
    for (let i = (hash >>> SHARD_BITS) & mask; ; i = (i + 1) & mask) {
      const slot = (shard[i] as number) - 1;
      if (slot < 0) return -1;
      const k = slot << 2;
      if (keys[k + 3] === w3 && keys[k + 2] === w2 && keys[k + 1] === w1 && keys[k] === w0) return slot;
    }
  }

  /** Binds a key that is not in the index to a free slot. */
  insert(slot: number, w0: number, w1: number, w2: number, w3: number): void {
    const k = slot << 2;
    this.#keys[k] = w0;
    this.#keys[k + 1] = w1;
    this.#keys[k + 2] = w2;
    this.#keys[k + 3] = w3;
    const hash = this.#hash(w0, w1, w2, w3);
    const n = hash & SHARD_MASK;
    const used = (this.#used[n] as number) + 1;
    this.#used[n] = used;
    const shard = this.#shards[n] as Int32Array;
    if (used * 2 > shard.length) this.#shards[n] = this.#doubled(shard);
    place(this.#shards[n] as Int32Array, hash >>> SHARD_BITS, slot);
  }

  /** Unbinds a slot's key. Entries behind the hole move up, so searches stay short without tombstones. */
  remove(slot: number): void {
    const hash = this.#hashOfSlot(slot);
    const n = hash & SHARD_MASK;
    const shard = this.#shards[n] as Int32Array;
    const mask = shard.length - 1;
    let hole = (hash >>> SHARD_BITS) & mask;
    while ((shard[hole] as number) !== slot + 1) {
      if (shard[hole] === 0) return;
      hole = (hole + 1) & mask;
    }
    for (let i = (hole + 1) & mask; (shard[i] as number) !== 0; i = (i + 1) & mask) {
      const home = (this.#hashOfSlot((shard[i] as number) - 1) >>> SHARD_BITS) & mask;
      if (((i - home) & mask) >= ((i - hole) & mask)) {
        shard[hole] = shard[i] as number;
        hole = i;
      }
    }
    shard[hole] = 0;
    this.#used[n] = (this.#used[n] as number) - 1;
  }

  addressOf(slot: number): Address {
    const k = slot << 2;
    const keys = this.#keys;
    return {
      w0: keys[k] as number,
      w1: keys[k + 1] as number,
      w2: keys[k + 2] as number,
      w3: keys[k + 3] as number,
    };
  }

  /** How many entries a search for the key reads: what an attacker who chooses keys would like to be large. */
  probes(w0: number, w1: number, w2: number, w3: number): number {
    const hash = this.#hash(w0, w1, w2, w3);
    const shard = this.#shards[hash & SHARD_MASK] as Int32Array;
    const mask = shard.length - 1;
    const slot = this.find(w0, w1, w2, w3);
    let n = 1;
    for (let i = (hash >>> SHARD_BITS) & mask; shard[i] !== 0 && shard[i] !== slot + 1; i = (i + 1) & mask)
      n++;
    return n;
  }

  #doubled(shard: Int32Array): Int32Array {
    const bigger = new Int32Array(shard.length * 2);
    for (const entry of shard) {
      if (entry !== 0) place(bigger, this.#hashOfSlot(entry - 1) >>> SHARD_BITS, entry - 1);
    }
    return bigger;
  }

  #hashOfSlot(slot: number): number {
    const k = slot << 2;
    const keys = this.#keys;
    return this.#hash(keys[k] as number, keys[k + 1] as number, keys[k + 2] as number, keys[k + 3] as number);
  }

  /** Each word is mixed in with the rounds of MurmurHash3's 32-bit variant (Austin Appleby, public domain). */
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

function round(h: number, word: number): number {
  const mixed = Math.imul(word, 0xcc9e2d51);
  const x = h ^ Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
  return (Math.imul((x << 13) | (x >>> 19), 5) + 0xe6546b64) | 0;
}

function place(shard: Int32Array, hash: number, slot: number): void {
  const mask = shard.length - 1;
  let i = hash & mask;
  while (shard[i] !== 0) i = (i + 1) & mask;
  shard[i] = slot + 1;
}
