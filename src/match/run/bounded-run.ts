import { LIMITS } from "../../core/limits.ts";
import { BoundedSearch } from "./dfa/bounded-search.ts";
import { DfaMemory } from "./dfa/dfa-memory.ts";
import type { LineWork } from "./dfa/line-work.ts";
import type { Graph } from "./dfa/program.ts";
import type { Match } from "./dfa/walk.ts";
import type { CompiledTest } from "../filter/pattern.ts";
import type { MatcherStats } from "../scan.ts";
import { ShortLines } from "./short-lines.ts";
import { type Settled, StepSearch } from "./steps/step-search.ts";

/**
 * Runs patterns on a line, and bounds the cost of the line over all patterns:
 *
 *      cut line ─► steps
 *      short line, linear pattern ─► V8, while it is fast
 *      everything else ─► automaton ─┬─► the answer, nearly always
 *                                    └─► unknown ─┬─► a linear pattern: V8, if the line can pay for its linear engine
 *                                                 └─► otherwise: steps
 */
export class BoundedRun {
  readonly #stats: MatcherStats;
  readonly #memory: DfaMemory;
  readonly #searches = new Map<CompiledTest, BoundedSearch>();
  readonly #steps = new Map<CompiledTest, StepSearch>();
  readonly #short = new ShortLines();
  readonly #work: LineWork = { left: 0 };
  /** Whether the content of the last match of `execCut` reaches the cut. */
  reachesCut = false;

  constructor(stats: MatcherStats) {
    this.#stats = stats;
    this.#memory = new DfaMemory(() => stats.statesForgotten++);
  }

  /** Starts the next line, of `length` bytes, with its full budget of work. */
  begin(length: number): void {
    this.#work.left = LIMITS.lineWork.value + Math.max(0, length - LONG_LINE) * WORK_PER_BYTE;
  }

  /** The match; null for none; undefined when the budget of the line is used up. */
  exec(test: CompiledTest, text: string): Match | null | undefined {
    if (test.cost === "linear" && text.length <= SHORT_LINE) {
      const match = this.#short.exec(test, text);
      if (match !== undefined) return match;
    }
    const before = this.#work.left;
    if (before <= 0) return undefined;
    let match = this.#search(test)?.exec(text, this.#work);
    if (match === undefined && test.cost === "linear") match = this.#byV8(test, text);
    if (match === undefined) match = this.#inSteps(test, text, null);
    this.#stats.work += before - this.#work.left;
    return match;
  }

  /** As `exec`, for the first part of a line: only what matches whatever follows. */
  execCut(test: CompiledTest, text: string, settled: Settled): Match | null | undefined {
    const before = this.#work.left;
    const match = this.#inSteps(test, text, settled);
    this.#stats.work += before - this.#work.left;
    return match;
  }

  #search(test: CompiledTest): BoundedSearch | undefined {
    const known = this.#searches.get(test);
    if (known !== undefined || test.programs === null) return known;
    const search = new BoundedSearch(test.programs, this.#memory);
    this.#searches.set(test, search);
    return search;
  }

  #byV8(test: CompiledTest, text: string): Match | null | undefined {
    const price = text.length * V8_WORK;
    if (this.#work.left < price) return undefined;
    this.#work.left -= price;
    return test.regex.exec(text);
  }

  #inSteps(test: CompiledTest, text: string, settled: Settled | null): Match | null | undefined {
    let search = this.#steps.get(test);
    if (search === undefined) {
      const graph = stepsOf(test);
      if (graph === null) return undefined;
      search = new StepSearch(graph);
      this.#steps.set(test, search);
    }
    const match = search.exec(text, this.#work, settled);
    this.reachesCut = search.reachesEnd;
    return match;
  }
}

function stepsOf({ programs }: CompiledTest): Graph | null {
  if (programs === null) return null;
  return programs.forward.isExact ? programs.forward : programs.steps;
}

/** Bytes. Up to this length V8 runs linear patterns: 0.14 µs for a match in 120 bytes, where the automaton takes 2 µs. */
const SHORT_LINE = 256;

/** Cost of V8's linear engine per byte, in units of LIMITS.lineWork. */
const V8_WORK = 60;
/** A line may cost LIMITS.lineWork up to this length, and WORK_PER_BYTE more for each further byte. */
const LONG_LINE = 8192;
const WORK_PER_BYTE = 32;
