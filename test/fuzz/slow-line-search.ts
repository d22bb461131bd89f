import { type CompiledFilter, compileFilter } from "../../src/match/filter/filter.ts";
import { createMatcher, type Matcher } from "../../src/match/matcher.ts";
import { HOSTILE } from "../../bench/patterns/hostile.ts";
import { CONTEXT, readLibrary } from "../filters/library.ts";
import { OUTLANDISH } from "./outlandish.ts";

/** A filter and lines to start from. */
export interface Target {
  readonly name: string;
  readonly filter: CompiledFilter;
  readonly samples: readonly string[];
}

/** The slowest chunk: 8 KiB of copies of one line. */
export interface SlowLine {
  /** The minimum of several runs. */
  readonly milliseconds: number;
  /** Of one line, in the units of LIMITS.lineWork. */
  readonly work: number;
  readonly line: string;
  /** Chunks tried. */
  readonly tried: number;
}

/** What is searched: every filter of the library, and patterns as users write them. */
export function targets(): Target[] {
  const library = readLibrary().map(({ name, filter, samples }) => ({
    name,
    filter: filter!,
    samples: samples.map(({ line }) => line),
  }));
  const others = [...HOSTILE, ...OUTLANDISH].map(({ name, patterns, samples }) => {
    const { filter, problems } = compileFilter({ name, failregex: patterns, ignoreregex: [], goodregex: [] });
    if (filter === null) throw new Error(`${name}: ${problems.map(({ fact }) => fact).join("; ")}`);
    return { name, filter, samples };
  });
  return [...library, ...others];
}

export const CHUNK_BYTES = 8192;

/** Lengths of lines: the engine treats short and long lines differently. */
const LENGTHS = [CHUNK_BYTES, CHUNK_BYTES, 512, 255, 120];

/** Mutates samples for so many milliseconds and continues from the slowest lines found. */
export function searchSlowest(target: Target, milliseconds: number, seed: number): SlowLine {
  const random = randomFrom(seed);
  const trial = new Trial(target.filter);
  const until = performance.now() + milliseconds;
  for (const sample of target.samples) trial.once(sample);
  let best: { line: string; milliseconds: number }[] = [];
  let tried = 0;
  do {
    const slow = best[random(FAMILY * 2)];
    // A line that was slow because the machine was busy loses its place.
    if (slow !== undefined) slow.milliseconds = Math.min(slow.milliseconds, trial.once(slow.line));
    const parent = slow === undefined ? pick(target.samples, random) : slow.line;
    const line = mutated(parent, target.samples, random);
    tried++;
    const took = trial.once(line);
    if (best.length === FAMILY && took <= best[FAMILY - 1]!.milliseconds) continue;
    const confirmed = Math.min(took, trial.once(line), trial.once(line));
    best = [...best, { line, milliseconds: confirmed }]
      .toSorted((a, b) => b.milliseconds - a.milliseconds)
      .slice(0, FAMILY);
  } while (performance.now() < until);
  const measured = best.map(({ line }) => {
    const times = Array.from({ length: 5 }, () => trial.once(line));
    return { milliseconds: Math.min(...times), work: trial.work, line, tried };
  });
  return measured.toSorted((a, b) => b.milliseconds - a.milliseconds)[0]!;
}

const FAMILY = 6;

/** Times chunks that consist of one line. */
class Trial {
  readonly #matcher: Matcher;
  /** Work of the last line. */
  work = 0;

  constructor(filter: CompiledFilter) {
    this.#matcher = createMatcher([filter]);
  }

  /** Milliseconds. */
  once(line: string): number {
    const copies = Math.max(1, Math.floor(CHUNK_BYTES / (line.length + 1)));
    const bytes = Buffer.from(`${line}\n`.repeat(copies), "latin1");
    const { work } = this.#matcher.stats;
    const before = performance.now();
    this.#matcher.scan({ bytes, start: 0, end: bytes.length, backlog: false }, CONTEXT, () => {});
    const took = performance.now() - before;
    this.work = (this.#matcher.stats.work - work) / copies;
    return took;
  }
}

function mutated(parent: string, samples: readonly string[], random: Random): string {
  let line = parent;
  const length = pick(LENGTHS, random);
  // Start from a line that leaves room: the attacker's text is in the middle of a line.
  if (line.length > length || random(2) === 0) line = pick(samples, random);
  for (let i = random(4); i > 0; i--) line = spoiled(line, samples, random);
  return pumped(line, length, random).slice(0, length - 1);
}

/** Repeats pieces of the line in place until it has the given length. */
function pumped(line: string, length: number, random: Random): string {
  let pumpedLine = line;
  for (let i = 1 + random(3); i > 0; i--) {
    const room = length - 1 - pumpedLine.length;
    if (room <= 0 || pumpedLine.length === 0) break;
    const at = random(pumpedLine.length);
    const piece = pumpedLine.slice(at, at + 1 + random(pick([2, 4, 12, 60], random)));
    const share = i === 1 ? room : random(room);
    const fill = piece.repeat(Math.floor(share / piece.length));
    pumpedLine = pumpedLine.slice(0, at) + fill + pumpedLine.slice(at);
  }
  return pumpedLine;
}

function spoiled(line: string, samples: readonly string[], random: Random): string {
  const at = random(line.length + 1);
  const other = pick(samples, random);
  const from = random(other.length);
  switch (random(6)) {
    case 0:
      return line.slice(0, at) + line.slice(at + 1 + random(8));
    case 1:
      return line.slice(0, at) + other.slice(from, from + random(40)) + line.slice(at);
    case 2:
      return line.slice(0, at) + other.slice(from);
    case 3: {
      const byte = random(256);
      return line.slice(0, at) + String.fromCharCode(byte === 10 ? 13 : byte) + line.slice(at + 1);
    }
    case 4:
      return line.slice(0, at) + noise(random) + line.slice(at);
    default:
      return line + pick([" ", "!", "]", ":", "a", "1", "."], random);
  }
}

/** Random letters, which create many states of an automaton. */
function noise(random: Random): string {
  const letters = pick(["ab", "a b", "01:.", "ab \"'[]():", "abcdefghijklmnopqrstuvwxyz "], random);
  return Array.from({ length: random(400) }, () => letters.charAt(random(letters.length))).join("");
}

/** An integer from 0 to below the bound. */
type Random = (bound: number) => number;

/** Mulberry32: small and reproducible. */
function randomFrom(seed: number): Random {
  let state = seed | 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * bound);
  };
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[random(list.length)]!;
}
