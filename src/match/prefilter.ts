import { type GramTable, HASH } from "./gram-table.ts";

/** Is told of every literal that stands in the bytes: its number and where it begins, line by line from the first to the last. */
export interface LiteralSink {
  found(literal: number, at: number): void;
}

/**
 * Finds literals by looking at aligned words of four bytes only: however a literal of five bytes or more lies, one of its
 * groups stands in a single word (with at most one byte beside it, and all 256 such words are in the table). The law:
 * may raise false alarms, must never miss. It reads nothing outside `start` … `end`.
 */
export class Prefilter {
  readonly #table: GramTable;
  #words = new Int32Array(0);
  #bytes: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;
  #sink: LiteralSink = NO_SINK;

  constructor(table: GramTable) {
    this.#table = table;
  }

  scan(bytes: Uint8Array, start: number, end: number, sink: LiteralSink): void {
    if (this.#words.buffer !== bytes.buffer) {
      this.#words = new Int32Array(bytes.buffer as ArrayBuffer, 0, bytes.buffer.byteLength >>> 2);
    }
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#sink = sink;
    const base = bytes.byteOffset;
    const first = (base + start + 3) >>> 2;
    const last = (base + end) >>> 2;
    if (((base + start) & 3) !== 0) this.#partial(first * 4 - 4 - base);
    if (first < last) this.#scanWords(first, last, base);
    if (last >= first && ((base + end) & 3) !== 0) this.#partial(last * 4 - base);
    this.#bytes = NO_BYTES;
    this.#sink = NO_SINK;
  }

  /** The hot loop: four words a turn, one branch. */
  #scanWords(first: number, last: number, base: number): void {
    const words = this.#words;
    const bitmap = this.#table.bitmap;
    const shift = this.#table.bitmapShift;
    const whole = first + ((last - first) & ~3);
    let i = first;
    for (; i < whole; i += 4) {
      const a = Math.imul(words[i]!, HASH) >>> shift;
      const b = Math.imul(words[i + 1]!, HASH) >>> shift;
      const c = Math.imul(words[i + 2]!, HASH) >>> shift;
      const d = Math.imul(words[i + 3]!, HASH) >>> shift;
      const bits =
        (bitmap[a >>> 5]! >>> a) |
        (bitmap[b >>> 5]! >>> b) |
        (bitmap[c >>> 5]! >>> c) |
        (bitmap[d >>> 5]! >>> d);
      if ((bits & 1) === 0) continue;
      const at = i * 4 - base;
      if (((bitmap[a >>> 5]! >>> a) & 1) !== 0) this.#visit(words[i]!, at);
      if (((bitmap[b >>> 5]! >>> b) & 1) !== 0) this.#visit(words[i + 1]!, at + 4);
      if (((bitmap[c >>> 5]! >>> c) & 1) !== 0) this.#visit(words[i + 2]!, at + 8);
      if (((bitmap[d >>> 5]! >>> d) & 1) !== 0) this.#visit(words[i + 3]!, at + 12);
    }
    for (; i < last; i++) this.#visit(words[i]!, i * 4 - base);
  }

  /** A word that lies across an end: what is outside counts as 0, since there any byte may stand. */
  #partial(at: number): void {
    for (let i = 0; i < 4; i++) {
      const inside = at + i >= this.#start && at + i < this.#end;
      FOUR_BYTES[i] = inside ? this.#bytes[at + i]! : 0;
    }
    this.#visit(FOUR_WORDS[0]!, at);
  }

  #visit(word: number, at: number): void {
    const { keys, slots, keyShift, entries } = this.#table;
    const mask = keys.length - 1;
    for (let slot = Math.imul(word, HASH) >>> keyShift; ; slot = (slot + 1) & mask) {
      let entry = slots[slot]!;
      if (entry < 0) return;
      if (keys[slot] !== word) continue;
      for (; entries[entry] !== -1; entry += 2) {
        const literal = entries[entry]!;
        const from = at - entries[entry + 1]!;
        if (this.#stands(literal, from)) this.#sink.found(literal, from);
      }
      return;
    }
  }

  #stands(literal: number, from: number): boolean {
    const { members, memberStart, classes } = this.#table;
    const first = memberStart[literal]!;
    const length = memberStart[literal + 1]! - first;
    if (from < this.#start || from + length > this.#end) return false;
    const bytes = this.#bytes;
    for (let i = 0; i < length; i++) {
      const member = members[first + i]!;
      const byte = bytes[from + i]!;
      if (member >= 0 ? member !== byte : classes[(-1 - member) * 256 + byte] === 0) return false;
    }
    return true;
  }
}

const NO_BYTES = new Uint8Array(0);
const NO_SINK: LiteralSink = { found: () => undefined };
const FOUR_WORDS = new Int32Array(1);
const FOUR_BYTES = new Uint8Array(FOUR_WORDS.buffer);
