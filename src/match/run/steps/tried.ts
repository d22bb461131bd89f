import { type Graph, Op } from "../dfa/program.ts";

/**
 * Remembers from which branching nodes a pattern was already tried at which places: what failed once fails again. Where a
 * back-reference or a condition may follow, it fails again with the same groups, which a stamp stands for.
 */
export class Tried {
  /** The number of each branching node among them. */
  readonly #numbers: Int32Array;
  readonly #count: number;
  /** The number of each branching node before a back-reference or a condition among them. */
  readonly #stampNumbers: Int32Array;
  readonly #stampCount: number;
  #hasStamps = false;
  /** One more than the length of the text; 0 when there is no room to remember. */
  #places = 0;

  constructor(graph: Graph) {
    let [count, stamps] = [0, 0];
    const depends = dependent(graph);
    const isSplit = (node: number): boolean => graph.op[node] === Op.split;
    this.#numbers = Int32Array.from(graph.op, (_, node) =>
      isSplit(node) && depends[node] === 0 ? count++ : -1,
    );
    this.#stampNumbers = Int32Array.from(graph.op, (_, node) =>
      isSplit(node) && depends[node] === 1 ? stamps++ : -1,
    );
    this.#count = count;
    this.#stampCount = stamps;
  }

  /** Forgets everything, for a text of this length. Returns the work. */
  begin(length: number): number {
    const room = (length + 1) * this.#stampCount;
    this.#hasStamps = room > 0 && room <= MAX_WORDS;
    if (this.#hasStamps && stampsAt.length < room)
      stampsAt = new Int32Array(Math.max(room, stampsAt.length * 2));
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

  /** Whether the answer of a node depends on the groups. */
  depends(node: number): boolean {
    return this.#stampNumbers[node]! >= 0;
  }

  /** Whether `node` was tried at `place` before, with the groups that a stamp stands for. Stamps are never used twice. */
  wasWith(stamp: number, node: number, place: number): boolean {
    if (!this.#hasStamps) return false;
    const at = place * this.#stampCount + this.#stampNumbers[node]!;
    if (stampsAt[at] === stamp) return true;
    stampsAt[at] = stamp;
    return false;
  }

  /** Whether `node` was tried at `place` before. */
  was(node: number, place: number): boolean {
    const number = this.#numbers[node]!;
    if (this.#places === 0) return false;
    const bit = number * this.#places + place;
    const known = (bits[bit >>> 5]! >>> bit) & 1;
    bits[bit >>> 5]! |= 1 << bit;
    return known === 1;
  }
}

/** 1 for each node that leads to one whose answer depends on the groups. */
function dependent({ op, a, b }: Graph): Uint8Array {
  const marks = Uint8Array.from(op, (one) => (one >= Op.same ? 1 : 0));
  if (!marks.includes(1)) return marks;
  for (let changed = true; changed;) {
    changed = false;
    for (let node = 0; node < op.length; node++) {
      const code = op[node]!;
      if (marks[node] === 1 || code === Op.accept || code === Op.fail) continue;
      const leads = marks[b[node]!] === 1 || (LEADS_TWICE.has(code) && marks[a[node]!] === 1);
      if (!leads) continue;
      marks[node] = 1;
      changed = true;
    }
  }
  return marks;
}

/** Their `a` is a node. */
const LEADS_TWICE: ReadonlySet<number> = new Set([
  Op.split,
  Op.look,
  Op.notLook,
  Op.lookInto,
  Op.behind,
  Op.notBehind,
]);

/** 8 MiB. Without room a search is bounded by its work alone. */
const MAX_WORDS = 2 << 20;

/** A stamp that was not used before. */
export function newStamp(): number {
  if (lastStamp === 0x7fffffff) {
    stampsAt.fill(0);
    lastStamp = 0;
  }
  return ++lastStamp;
}

let lastStamp = 0;
let stampsAt = new Int32Array(0);

/** Shared by all patterns: only one is tried at a time. */
let bits = new Int32Array(0);
