import { type Graph, Op } from "../dfa/program.ts";

/** Remembers from which branching nodes a pattern was already tried at which places: what failed once fails again. */
export class Tried {
  /** The number of each branching node among them. */
  readonly #numbers: Int32Array;
  readonly #count: number;
  /** One more than the length of the text; 0 when there is no room to remember. */
  #places = 0;

  constructor({ op }: Graph) {
    let count = 0;
    this.#numbers = Int32Array.from(op, (one) => (one === Op.split ? count++ : -1));
    this.#count = count;
  }

  /** Forgets everything, for a text of this length. Returns the work. */
  begin(length: number): number {
    const words = ((length + 1) * this.#count + 31) >>> 5;
    if (words > MAX_WORDS) {
      this.#places = 0;
      return 0;
    }
    this.#places = length + 1;
    if (bits.length < words) bits = new Int32Array(Math.max(words, bits.length * 2));
    else bits.fill(0, 0, words);
    return words >>> 3;
  }

  /** Whether `node` was tried at `place` before. */
  was(node: number, place: number): boolean {
    if (this.#places === 0) return false;
    const bit = this.#numbers[node]! * this.#places + place;
    const known = (bits[bit >>> 5]! >>> bit) & 1;
    bits[bit >>> 5]! |= 1 << bit;
    return known === 1;
  }
}

/** 8 MiB. Without room a search is bounded by its work alone. */
const MAX_WORDS = 2 << 20;

/** Shared by all patterns: only one is tried at a time. */
let bits = new Int32Array(0);
