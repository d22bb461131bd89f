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
 * Runs patterns on a line with a bound on what the line costs, all patterns together:
 *
 *      short line, linear pattern ─► V8, as long as it is fast
 *      all else ─► our automaton ─┬─► the answer, nearly always
 *                                 └─► not known ─┬─► a linear pattern: V8, at the price its linear engine has
 *                                                └─► any other: V8 under a watch
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

  /** Another line, for which nothing was done yet. */
  begin(): void {
    this.#work.left = LIMITS.lineWork.value;
  }

  /** The match; null for none; undefined when the line or the pattern has had its share. */
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

/** Bytes. Up to here V8 runs linear patterns: 0.14 µs for 120 bytes that match, where the automaton takes 2. */
const SHORT_LINE = 256;

/** What V8's linear engine costs for a byte, and how many patterns' time can run out on one line. */
const V8_WORK = 60;
const WATCHED_WORK = LIMITS.lineWork.value / 2;
