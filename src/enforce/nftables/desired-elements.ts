import { address, V4_MARK } from "../../core/address.ts";
import { AddressIndex } from "../../core/address-index.ts";
import type { Instant } from "../../core/time.ts";
import type { Enforcement } from "../enforcer.ts";
import type { BanSet } from "../ruleset/names.ts";
import { type ElementChange, isUnban } from "../ruleset/standing-sets.ts";

/** Changes that are read in pieces; an array will do. A piece may be shorter than requested. */
export type Pieces = Pick<readonly ElementChange[], "length" | "slice">;

/**
 * The desired elements of one set, in columns of 12 bytes an element (24 for IPv6). Objects are made only for the piece that is being
 * written: a million of them would take a quarter of a gigabyte.
 *
 *      element   0 1 2 …      one column each: address (4 or 16 B), until
 *
 * An expired ban also removes the bans of its prefix that were added before it.
 */
export class DesiredElements implements Pieces {
  readonly #set: BanSet;
  readonly #now: Instant;
  /** Words of an element. */
  readonly #each: 1 | 4;
  #words: Int32Array;
  #untils: Float64Array;
  #length = 0;
  /** The index of the last expired ban of each prefix that has one, by slot. */
  #ended: AddressIndex | null = null;
  readonly #endedAt: number[] = [];

  constructor(set: BanSet, now: Instant) {
    this.#set = set;
    this.#now = now;
    this.#each = set.family === "v4" ? 1 : 4;
    this.#words = new Int32Array(FIRST_ELEMENTS * this.#each);
    this.#untils = new Float64Array(FIRST_ELEMENTS);
  }

  /** The number of added elements; not more than this remain. */
  get length(): number {
    return this.#length;
  }

  add(change: Enforcement): void {
    if (this.#length === this.#untils.length) this.#grow();
    const { w0, w1, w2, w3 } = change.prefix.address;
    const at = this.#length++;
    if (this.#each === 1) this.#words[at] = w3;
    else this.#words.set([w0, w1, w2, w3], at * 4);
    this.#untils[at] = change.kind === "ban" ? change.until : ENDED;
    if (isUnban(change, this.#now)) this.#noteEnd(at, w0, w1, w2, w3);
  }

  slice(from = 0, to = this.#length): ElementChange[] {
    const changes: ElementChange[] = [];
    for (let at = from; at < Math.min(to, this.#length); at++) {
      if (!this.#isEnded(at)) changes.push(this.#change(at));
    }
    return changes;
  }

  #change(at: number): ElementChange {
    const set = this.#set;
    const prefix = { address: this.#addressAt(at), length: set.length ?? (set.family === "v4" ? 32 : 128) };
    return { set, change: { kind: "ban", prefix, target: set.target, until: this.#untils[at]! } };
  }

  #addressAt(at: number) {
    const words = this.#words;
    if (this.#each === 1) return address(0, 0, V4_MARK, words[at]!);
    const w = at * 4;
    return address(words[w]!, words[w + 1]!, words[w + 2]!, words[w + 3]!);
  }

  #isEnded(at: number): boolean {
    if (this.#ended === null) return false;
    const { w0, w1, w2, w3 } = this.#addressAt(at);
    const slot = this.#ended.find(w0, w1, w2, w3);
    return slot >= 0 && this.#endedAt[slot]! >= at;
  }

  #noteEnd(at: number, w0: number, w1: number, w2: number, w3: number): void {
    this.#ended ??= new AddressIndex(16);
    let slot = this.#ended.find(w0, w1, w2, w3);
    if (slot < 0) {
      slot = this.#endedAt.length;
      if (slot === this.#ended.slots) this.#ended.grow(slot * 2);
      this.#ended.insert(slot, w0, w1, w2, w3);
    }
    this.#endedAt[slot] = at;
  }

  #grow(): void {
    const words = new Int32Array(this.#words.length * 2);
    const untils = new Float64Array(this.#untils.length * 2);
    words.set(this.#words);
    untils.set(this.#untils);
    this.#words = words;
    this.#untils = untils;
  }
}

const FIRST_ELEMENTS = 256;
const ENDED = 0;
