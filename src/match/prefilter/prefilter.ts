import { wordAt } from "./gram-frequency.ts";
import { type GramTable, HASH } from "./gram-table.ts";
import { type FlaggedWords, flaggedWords } from "./wasm/flagged-words.ts";

/** Gets every literal found, with its number and where it begins. The order is that of the lines. */
export interface LiteralSink {
  found(literal: number, at: number): void;
}

/**
 * Finds literals by looking at one word of four bytes every `stride` bytes. At every alignment, such a word
 * contains one group of the literal, with at most one byte beside it; all 256 words of this kind are in the table. Law: it finds every literal, and reads nothing
 * outside `start` … `end`.
 */
export class Prefilter {
  readonly #table: GramTable;
  readonly #words: FlaggedWords;
  #bytes: Uint8Array = NO_BYTES;
  #start = 0;
  #end = 0;
  #sink: LiteralSink = NO_SINK;

  constructor(table: GramTable, words: FlaggedWords = flaggedWords(table)) {
    this.#table = table;
    this.#words = words;
  }

  scan(bytes: Uint8Array, start: number, end: number, sink: LiteralSink): void {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#sink = sink;
    const { block } = this.#words;
    // The first group of a literal may begin one byte before it, and the last may end one byte behind it.
    for (let at = start - 1; at + 3 <= end; at += block) this.#scanBlock(at, Math.min(block, end - 2 - at));
    this.#bytes = NO_BYTES;
    this.#sink = NO_SINK;
  }

  /** Looks at the words that begin in the `length` bytes from `at` on. */
  #scanBlock(at: number, length: number): void {
    const { text, places } = this.#words;
    const bytes = this.#bytes;
    const from = Math.max(at, this.#start);
    const to = Math.min(at + length + 3, this.#end);
    // Bytes beside these are left over from other text, and any byte may stand there.
    text.set(new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from), from - at);
    const count = this.#words.find(length);
    for (let i = 0; i < count; i++) this.#visit(wordAt(text, places[i]!), at + places[i]!);
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
