import type { DfaMemory } from "./dfa-memory.ts";
import type { LineWork } from "./line-work.ts";
import type { Program } from "./program.ts";
import { leadsOn, markAlive, type Surroundings } from "./live-nodes.ts";

/** Returned instead of a place: no match. */
export const NOWHERE = -1;
/** Returned instead of a place: unknown, because the work is used up or the states are too many. */
export const UNKNOWN = -2;

/**
 * A lazy automaton over a program. It reads a text from the far end and knows at each place which nodes are alive. A state is a set of
 * live nodes, made when it first occurs; a step to a known state is one table look-up, whatever the pattern and the text.
 *
 *      text     a b c d e
 *      states  5◄4◄3◄2◄1◄0     the pattern matches where the start of the program is alive
 */
export class LiveStates {
  readonly program: Program;
  readonly #memory: DfaMemory;
  readonly #kinds: number;
  /** One for each class with each kind of the byte before it, then one for each class at the start of the text. */
  readonly #columns: number;
  /** Words of 32 nodes in a state. */
  readonly #words: number;
  readonly #next: Uint8Array;
  readonly #alive: Uint8Array;
  readonly #packed: Int32Array;
  readonly #place: Surroundings = { byteClass: 0, mask: 0, isStart: false };

  #count = 0;
  #bits = new Int32Array(0);
  /** Entries: `(state + 1) * 4 + flags`, or 0 for a step not made yet. */
  #table = new Uint16Array(0);
  #flags = new Uint8Array(0);
  /** Entries by the kind of the last byte of the text; the last one is for the empty text. */
  readonly #initial: Uint16Array;
  #byHash = new Map<number, number[]>();

  constructor(program: Program, memory: DfaMemory) {
    this.program = program;
    this.#memory = memory;
    this.#kinds = program.masks.length;
    this.#columns = program.classCount * (this.#kinds + 1);
    this.#words = (program.op.length + 31) >>> 5;
    this.#next = new Uint8Array(program.op.length);
    this.#alive = new Uint8Array(program.op.length);
    this.#packed = new Int32Array(this.#words);
    this.#initial = new Uint16Array(this.#kinds + 1);
  }

  /** Bytes, estimated. */
  get size(): number {
    return this.#bits.byteLength + this.#table.byteLength + this.#flags.byteLength + this.#count * 64;
  }

  /** Drops all states. */
  clear(): void {
    this.#count = 0;
    this.#bits = new Int32Array(0);
    this.#table = new Uint16Array(0);
    this.#flags = new Uint8Array(0);
    this.#initial.fill(0);
    this.#byHash = new Map();
  }

  /** Whether a node is alive in a state that `run` wrote. */
  isAlive(state: number, node: number): boolean {
    return ((this.#bits[state * this.#words + (node >>> 5)]! >>> node) & 1) !== 0;
  }

  /** Whether a mirrored program matches anywhere: 0, NOWHERE or UNKNOWN. Stops as soon as it knows. */
  find(text: string, work: LineWork): number {
    this.#makeRoom();
    const { classOf, classCount, kindOf } = this.program;
    const kinds = this.#kinds;
    const columns = this.#columns;
    const length = text.length;
    let byteClass = length === 0 ? 0 : classOf[text.charCodeAt(0) & 255]!;
    let entry = this.#begin(length === 0 ? kinds : kindOf[byteClass]!, work);
    let i = 0;
    for (; i < length && entry !== 0 && (entry & ENDS) === 0; i++) {
      let column = classCount * kinds + byteClass;
      if (i + 1 < length) {
        const coming = classOf[text.charCodeAt(i + 1) & 255]!;
        column = byteClass * kinds + kindOf[coming]!;
        byteClass = coming;
      }
      const state = (entry >>> 2) - 1;
      entry = this.#table[state * columns + column]!;
      if (entry === 0) entry = this.#step(state, column, work);
    }
    work.left -= i;
    if (entry === 0) return UNKNOWN;
    return (entry & STARTS) !== 0 ? 0 : NOWHERE;
  }

  /** The leftmost place where a forward program matches, or NOWHERE or UNKNOWN. Writes the state at place i to `states[i]`. */
  run(text: string, states: Uint16Array, work: LineWork): number {
    this.#makeRoom();
    const { classOf, classCount, kindOf } = this.program;
    const kinds = this.#kinds;
    const columns = this.#columns;
    let i = text.length;
    let byteClass = i === 0 ? 0 : classOf[text.charCodeAt(i - 1) & 255]!;
    let entry = this.#begin(i === 0 ? kinds : kindOf[byteClass]!, work);
    let leftmost = NOWHERE;
    work.left -= i;
    for (; entry !== 0; i--) {
      const state = (entry >>> 2) - 1;
      states[i] = state;
      if ((entry & STARTS) !== 0) leftmost = i;
      if (i === 0 || (entry & DEAD) !== 0) return leftmost;
      let column = classCount * kinds + byteClass;
      if (i > 1) {
        const coming = classOf[text.charCodeAt(i - 2) & 255]!;
        column = byteClass * kinds + kindOf[coming]!;
        byteClass = coming;
      }
      entry = this.#table[state * columns + column]!;
      if (entry === 0) entry = this.#step(state, column, work);
    }
    return UNKNOWN;
  }

  /** Makes room before a text is read, because the states must stay while it is read. */
  #makeRoom(): void {
    if (this.#count > MAX_STATES / 2) this.clear();
  }

  #begin(kind: number, work: LineWork): number {
    if (this.#initial[kind] !== 0) return this.#initial[kind]!;
    this.#markAt(-1, kind);
    const entry = this.#intern(work);
    this.#initial[kind] = entry;
    return entry;
  }

  #step(state: number, column: number, work: LineWork): number {
    const kinds = this.#kinds;
    const inside = this.program.classCount * kinds;
    const next = this.#next;
    const bits = this.#bits;
    const from = state * this.#words;
    for (let i = 0; i < next.length; i++) next[i] = (bits[from + (i >>> 5)]! >>> i) & 1;
    if (column >= inside) this.#markAt(column - inside, kinds);
    else this.#markAt(Math.trunc(column / kinds), column % kinds);
    const entry = this.#intern(work);
    this.#table[state * this.#columns + column] = entry;
    return entry;
  }

  /** Marks the live nodes at a place. `kind` is that of the byte before; the number of kinds stands for the start of the text. */
  #markAt(byteClass: number, kind: number): void {
    this.#place.byteClass = byteClass;
    this.#place.isStart = kind === this.#kinds;
    this.#place.mask = this.program.masks[kind] ?? 0;
    markAlive(this.program, this.#place, this.#next, this.#alive);
  }

  /** The entry of the state that `#alive` holds; 0 when there is no room for it or no work left. */
  #intern(work: LineWork): number {
    const packed = this.#packed;
    const alive = this.#alive;
    work.left -= alive.length;
    packed.fill(0);
    for (let i = 0; i < alive.length; i++) packed[i >>> 5]! |= alive[i]! << i;
    let hash = 0;
    for (let w = 0; w < packed.length; w++) hash = Math.imul(hash ^ packed[w]!, 0x9e3779b1) ^ (hash >>> 15);
    const sameHash = this.#byHash.get(hash) ?? [];
    for (const state of sameHash) if (this.#isPacked(state)) return this.#entryOf(state);
    if (work.left < 0 || this.#count === MAX_STATES) return 0;
    const state = this.#count++;
    if (this.#count > this.#flags.length) this.#grow();
    this.#bits.set(packed, state * this.#words);
    this.#flags[state] = this.#flagsOf(alive);
    sameHash.push(state);
    this.#byHash.set(hash, sameHash);
    return this.#entryOf(state);
  }

  #isPacked(state: number): boolean {
    const packed = this.#packed;
    const from = state * this.#words;
    for (let w = 0; w < packed.length; w++) if (this.#bits[from + w] !== packed[w]) return false;
    return true;
  }

  #entryOf(state: number): number {
    return ((state + 1) << 2) | this.#flags[state]!;
  }

  #flagsOf(alive: Uint8Array): number {
    if (alive[this.program.start] === 1) return STARTS;
    return this.program.revives || leadsOn(this.program, alive) ? 0 : DEAD;
  }

  #grow(): void {
    const room = Math.min(MAX_STATES, Math.max(FIRST_STATES, this.#flags.length * 4));
    this.#bits = copied(this.#bits, new Int32Array(room * this.#words));
    this.#table = copied(this.#table, new Uint16Array(room * this.#columns));
    this.#flags = copied(this.#flags, new Uint8Array(room));
    this.#memory.grown(this);
  }
}

/** An entry has room for 16,383. Cleared when half full at the start of a text. */
const MAX_STATES = 2048;
const FIRST_STATES = 32;

/** Flags of a state: the start of the program is alive; no node is alive or will be. */
const STARTS = 1;
const DEAD = 2;
const ENDS = STARTS | DEAD;

function copied<T extends Int32Array | Uint16Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
