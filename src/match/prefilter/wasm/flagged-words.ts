import { type GramTable, HASH } from "../gram-table.ts";
import { wordAt } from "../gram-frequency.ts";
import {
  add,
  type Code,
  constant,
  encodeModule,
  getLocal,
  inOrder,
  isAtLeast,
  load32,
  load8,
  machine,
  multiply,
  or,
  PAGE_BYTES,
  repeatUntil,
  setLocal,
  shiftRight,
  store32,
  when,
} from "./encode.ts";

/** Looks at one word every `stride` bytes of a block of text and lists the words whose flag is set. */
export interface FlaggedWords {
  /** Holds the block. Bytes behind it may be read, and words there may be listed. */
  readonly text: Uint8Array;
  /** Bytes per call; `text` has room for a word more. */
  readonly block: number;
  /** Where the words found begin, ascending. */
  readonly places: Int32Array;
  /** Looks at the words at 0, stride, 2 × stride … below `length`, and at up to seven more. Returns how many it found. */
  find(length: number): number;
}

/**
 * In WebAssembly; in JavaScript under `node --jitless` or without address space for WebAssembly's memory. JavaScript is 2 to 6 times slower:
 * which checks V8 removes depends on what else ran.
 */
export function flaggedWords(table: GramTable): FlaggedWords {
  try {
    return new CompiledWords(table);
  } catch {
    return new PlainWords(table);
  }
}

/** A multiple of GROUP. */
const WORDS = 4096;
/** Words per branch. */
const GROUP = 8;
/** Bytes. Room for the last word and its group at the longest stride. */
const MARGIN = 256;

/**
 * A memory and a function compiled for one table; stride, shift and addresses are constants:
 *
 *      0 ─ text ─┬─ places ─┬─ flags ─┤
 */
export class CompiledWords implements FlaggedWords {
  readonly text: Uint8Array;
  readonly block: number;
  readonly places: Int32Array;
  readonly #placesAt: number;
  readonly #run: (at: number, end: number, out: number) => number;

  constructor({ stride, flags, flagShift }: GramTable) {
    this.block = WORDS * stride;
    this.#placesAt = this.block + MARGIN;
    const flagsAt = this.#placesAt + (WORDS + GROUP) * 4;
    const pages = Math.ceil((flagsAt + flags.length) / PAGE_BYTES);
    const memory = new machine.Memory({ initial: pages, maximum: pages });
    new Uint8Array(memory.buffer, flagsAt).set(flags);
    this.text = new Uint8Array(memory.buffer, 0, this.#placesAt);
    this.places = new Int32Array(memory.buffer, this.#placesAt, WORDS + GROUP);
    const code = encodeModule({ params: 3, pages, body: scanCode(stride, flagShift, flagsAt) });
    const { exports } = new machine.Instance(new machine.Module(code), { env: { memory } });
    this.#run = exports["run"] as (at: number, end: number, out: number) => number;
  }

  find(length: number): number {
    return (this.#run(0, length, this.#placesAt) - this.#placesAt) >>> 2;
  }
}

/** `run(at, end, out)` writes places from `out` on and returns where it stopped. */
function scanCode(stride: number, flagShift: number, flagsAt: number): Code {
  const [at, end, out] = [getLocal(0), getLocal(1), getLocal(2)];
  const words = Array.from({ length: GROUP }, (_, n) => n * stride);
  const flag = (word: number): Code => {
    const hash = inOrder(at, load32(word), constant(HASH), multiply);
    return inOrder(hash, constant(flagShift), shiftRight, load8(flagsAt));
  };
  const anyFlag = words.flatMap((word, n) => (n === 0 ? flag(word) : inOrder(flag(word), or)));
  const note = words.flatMap((word) => {
    // Writes every place without a branch; the next one overwrites it unless the flag is set.
    const write = inOrder(out, at, constant(word), add, store32(0));
    return inOrder(write, out, flag(word), constant(4), multiply, add, setLocal(2));
  });
  const step = inOrder(at, constant(GROUP * stride), add, setLocal(0));
  return inOrder(repeatUntil(inOrder(at, end, isAtLeast), inOrder(anyFlag, when(note), step)), out);
}

/** In JavaScript, also for matchers that read little: WebAssembly's compiler takes 1.4 MB of resident memory, most of it Node's code. */
export class PlainWords implements FlaggedWords {
  readonly text: Uint8Array;
  readonly block: number;
  readonly places = new Int32Array(WORDS);
  readonly #table: GramTable;

  constructor(table: GramTable) {
    this.#table = table;
    this.block = WORDS * table.stride;
    this.text = new Uint8Array(this.block + MARGIN);
  }

  find(length: number): number {
    const { text, places } = this;
    const { flags, flagShift, stride } = this.#table;
    let count = 0;
    for (let at = 0; at < length; at += stride) {
      if (flags[Math.imul(wordAt(text, at), HASH) >>> flagShift] !== 0) places[count++] = at;
    }
    return count;
  }
}
