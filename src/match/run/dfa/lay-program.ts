import type { ByteSet } from "../../filter/byte-set.ts";
import { type Graph, Op, type Program } from "./program.ts";
import { leadsOn, markAlive } from "./live-nodes.ts";

/** A node without a number yet. `op` says which of the parts it has. */
export interface Node {
  readonly op: number;
  a: Node | null;
  b: Node | null;
  readonly set: ByteSet | null;
  readonly number: number;
}

export function node(
  op: number,
  { a = null, b = null, set = null, number = 0 }: Partial<Omit<Node, "op">> = {},
): Node {
  return { op, a, b, set, number };
}

/** Lays the nodes that `start` reaches into flat arrays. Null when they check more than 31 sets for the byte before: a mask has 32 bits. */
export function layProgram(start: Node, groups: number, isExact: boolean): Program | null {
  const program = layNodes(start, groups, isExact);
  if (program.behind.length > 31) return null;
  const graph = { ...program, ...kindsOf(program) };
  return { ...graph, revives: revives(graph) };
}

/** As `layProgram`, for a graph that no automaton runs. */
export function layGraph(start: Node, groups: number): Graph {
  return { ...layNodes(start, groups, true), kindOf: new Uint8Array(0), masks: new Int32Array(0) };
}

function layNodes(start: Node, groups: number, isExact: boolean): Omit<Graph, "kindOf" | "masks"> {
  const { nodes, numbers } = numbered(start);
  const sets = new Numbering();
  const behind = new Numbering();
  const of = (next: Node | null): number => (next === null ? 0 : (numbers.get(next) ?? 0));
  const a = nodes.map((one) => {
    if (one.a !== null) return of(one.a);
    if (one.set === null) return one.number;
    const set = sets.of(one.set);
    return isByte(one) ? set : behind.of(one.set);
  });
  const { classOf, members } = classesOf(sets.sets);
  const classCount = members.length;
  const places = (list: readonly number[]): Uint16Array | Uint32Array =>
    nodes.length > 0xffff ? Uint32Array.from(list) : Uint16Array.from(list);
  return {
    op: Uint8Array.from(nodes, (one) => one.op),
    a: places(a),
    b: places(nodes.map((one) => of(one.b))),
    start: of(start),
    classOf,
    classCount,
    sets: Uint8Array.from(sets.sets.flatMap((set) => members.map((byte) => Number(set.has(byte))))),
    behind: Uint16Array.from(behind.sets, (set) => sets.of(set)),
    groups,
    isExact,
  };
}

function isByte({ op }: Node): boolean {
  return op === Op.byte || op === Op.byteBack;
}

function consumes(one: Node): boolean {
  return isByte(one) || one.op === Op.same || one.op === Op.sameBack || one.op === Op.sameFolded;
}

/** Numbers nodes so that each comes after all that it leads to without consuming a byte. */
function numbered(start: Node): { nodes: Node[]; numbers: Map<Node, number> } {
  const nodes: Node[] = [];
  const numbers = new Map<Node, number>();
  const waiting = [start];
  const visit = (one: Node): void => {
    if (numbers.has(one)) return;
    if (consumes(one)) {
      if (one.b !== null) waiting.push(one.b);
    } else {
      if (one.a !== null) visit(one.a);
      if (one.b !== null) visit(one.b);
    }
    numbers.set(one, nodes.push(one) - 1);
  };
  for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) visit(one);
  return { nodes, numbers };
}

/** Gives equal sets one number. */
class Numbering {
  readonly sets: ByteSet[] = [];
  readonly #numbers = new Map<string, number>();
  /** Many nodes have the same set, and the text of its members takes microseconds. */
  readonly #bySet = new Map<ByteSet, number>();

  of(set: ByteSet): number {
    const number = this.#bySet.get(set) ?? this.#ofEqual(set);
    this.#bySet.set(set, number);
    return number;
  }

  #ofEqual(set: ByteSet): number {
    const key = set.members().join();
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.sets.length);
    return this.sets.push(set) - 1;
  }
}

/** Groups bytes that no set distinguishes into a class. `members` holds one byte of each class. */
function classesOf(sets: readonly ByteSet[]): { classOf: Uint8Array; members: number[] } {
  const classOf = new Uint8Array(256);
  let members = [0];
  for (const set of sets) {
    // Each set splits the classes before it. Classes are numbered by their first byte.
    const places = new Int16Array(2 * members.length).fill(-1);
    members = [];
    for (let byte = 0; byte < 256; byte++) {
      const key = 2 * classOf[byte]! + Number(set.has(byte));
      if (places[key]! < 0) places[key] = members.push(byte) - 1;
      classOf[byte] = places[key]!;
    }
  }
  return { classOf, members };
}

function kindsOf({ classCount, behind, sets }: Omit<Graph, "kindOf" | "masks">) {
  const masks: number[] = [];
  const kindOf = Uint8Array.from({ length: classCount }, (_, byteClass) => {
    let mask = 0;
    behind.forEach((set, i) => (mask |= sets[set * classCount + byteClass]! << i));
    if (!masks.includes(mask)) masks.push(mask);
    return masks.indexOf(mask);
  });
  return { kindOf, masks: Int32Array.from(masks) };
}

function revives(program: Graph): boolean {
  const nothing = new Uint8Array(program.op.length);
  const alive = new Uint8Array(program.op.length);
  const fronts = [...program.masks].map((mask) => ({ mask, isStart: false }));
  for (const front of [...fronts, { mask: 0, isStart: true }]) {
    for (let byteClass = 0; byteClass < program.classCount; byteClass++) {
      markAlive(program, { byteClass, ...front }, nothing, alive);
      if (leadsOn(program, alive)) return true;
    }
  }
  return false;
}
