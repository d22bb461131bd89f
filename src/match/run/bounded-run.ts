import { LIMITS } from "../../core/limits.ts";
import type { Instant } from "../../core/time.ts";
import { BoundedSearch } from "./dfa/bounded-search.ts";
import { DfaMemory } from "./dfa/dfa-memory.ts";
import type { LineWork } from "./dfa/line-work.ts";
import type { Match } from "./dfa/walk.ts";
import type { CompiledTest } from "../filter/pattern.ts";
import type { MatcherStats } from "../scan.ts";
import { ShortLines } from "./short-lines.ts";
import { WatchedRun } from "./watched-run.ts";

/**
 * Runs patterns on a line, and bounds the cost of the line over all patterns:
 *
 *      short line, linear pattern ─► V8, while it is fast
 *      everything else ─► automaton ─┬─► the answer, nearly always
 *                                    └─► unknown ─┬─► a linear pattern: V8, at the price of its linear engine
 *                                                 └─► any other: V8 with a time limit
 */
export class BoundedRun {
  readonly #stats: MatcherStats;
  readonly #memory: DfaMemory;
  readonly #searches = new Map<CompiledTest, BoundedSearch>();
  readonly #short = new ShortLines();
  readonly #watched = new WatchedRun();
  readonly #work: LineWork = { left: 0 };

  constructor(stats: MatcherStats) {
    this.#stats = stats;
    this.#memory = new DfaMemory(() => stats.statesForgotten++);
  }

  /** Starts the next line with its full budget of work. */
  begin(): void {
    this.#work.left = LIMITS.lineWork.value;
  }

  /** The match; null for none; undefined when the budget of the line or of the pattern is used up. */
  exec(test: CompiledTest, text: string, now: Instant): Match | null | undefined {
    if (test.cost === "linear" && text.length <= SHORT_LINE) {
      const match = this.#short.exec(test, text);
      if (match !== undefined) return match;
    }
    const before = this.#work.left;
    if (before <= 0) return undefined;
    let match = this.#search(test)?.exec(text, this.#work);
    if (match === undefined) match = this.#byV8(test, text, now);
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

  #byV8(test: CompiledTest, text: string, now: Instant): Match | null | undefined {
    const price = test.cost === "linear" ? text.length * V8_WORK : WATCHED_WORK;
    if (this.#work.left < price) return undefined;
    this.#work.left -= price;
    return test.cost === "linear" ? test.regex.exec(text) : this.#watched.exec(test, text, now);
  }
}

/** Bytes. Up to this length V8 runs linear patterns: 0.14 µs for a match in 120 bytes, where the automaton takes 2 µs. */
const SHORT_LINE = 256;

/** Cost of V8's linear engine per byte, in units of LIMITS.lineWork. */
const V8_WORK = 60;
/** At most two patterns per line run into the time limit. */
const WATCHED_WORK = LIMITS.lineWork.value / 2;
