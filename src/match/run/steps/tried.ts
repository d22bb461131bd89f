import { type Graph, Op } from "../dfa/program.ts";

/**
 * Remembers from which branching nodes a pattern was already tried at which places: what failed once fails again. Not where a
 * back-reference or a condition may follow: there the answer depends on the groups.
 */
export class Tried {
  /** The number of each branching node among them. */
  readonly #numbers: Int32Array;
  readonly #count: number;
  /** One more than the length of the text; 0 when there is no room to remember. */
  #places = 0;

  constructor(graph: Graph) {
    let count = 0;
    const depends = dependent(graph);
    this.#numbers = Int32Array.from(graph.op, (one, node) =>
      one === Op.split && depends[node] === 0 ? count++ : -1,
    );
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
    const number = this.#numbers[node]!;
    if (this.#places === 0 || number < 0) return false;
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

/** Shared by all patterns: only one is tried at a time. */
let bits = new Int32Array(0);
