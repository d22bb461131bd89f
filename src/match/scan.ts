import type { LineBatch } from "../core/batch.ts";
import type { Failure } from "../core/failure.ts";
import type { Instant } from "../core/time.ts";
import type { Settling } from "./banned/settled.ts";
import type { TimeZone } from "./time/time-zone.ts";
import { counter, declareMetrics } from "../core/metrics.ts";

/**
 * Finds the lines that a set of filters is about. Law: no line that a filter matches is missed, whatever the engine;
 * `scan` never throws, and its work for each line is bounded.
 */
export interface Matcher {
  scan(batch: LineBatch, context: ScanContext, onFailure: (failure: Failure) => void): void;
  readonly stats: MatcherStats;
}

export interface ScanContext {
  readonly now: Instant;
  /** For lines whose time names no zone. */
  readonly zone: TimeZone;
  /** The one filter whose captures are wanted; without it all are. An object for each line is what they cost. */
  readonly capturing?: number;
  /** Without it every line that matches is a failure. */
  readonly settling?: Settling;
}

/** Plain counters, owned by the matcher and read by status and metrics. */
export interface MatcherStats {
  bytes: number;
  batches: number;
  /** Lines that became strings, since some filter might match. */
  candidates: number;
  /** Lines that were passed over, since nothing new could come of them. */
  settled: number;
  /** Regular expressions that were run. */
  tries: number;
  failures: number;
  good: number;
  /** Lines that an ignoreregex took out, once for each filter. */
  ignored: number;
  /** Failures without a time of their own that could be read. */
  undated: number;
  /** Failures whose host is a name. */
  names: number;
  /** Tries that were stopped or not begun, since the pattern takes too long on such lines: they count as no match. */
  givenUp: number;
  /** Work done by automata and in their stead, in the units of LIMITS.lineWork. */
  work: number;
  /** Times the automata forgot their states, since these were too many. */
  statesForgotten: number;
  /** Times the texts to look for were chosen anew, by the traffic's own frequencies. */
  learned: number;
}

export function newMatcherStats(): MatcherStats {
  return {
    bytes: 0,
    batches: 0,
    candidates: 0,
    settled: 0,
    tries: 0,
    failures: 0,
    good: 0,
    ignored: 0,
    undated: 0,
    names: 0,
    givenUp: 0,
    work: 0,
    statesForgotten: 0,
    learned: 0,
  };
}

/** Of the matcher's counters, those that the status of its source shows. */
export const MATCHER_METRICS = declareMetrics(
  { at: "sources.*", label: "source" },
  {
    givenUp: counter(
      "stoplog_matches_abandoned_total",
      "Tries of patterns that were stopped: they take too long on such lines.",
    ),
    statesForgotten: counter(
      "stoplog_automaton_resets_total",
      "Times the automata for long lines dropped their states: there were too many.",
    ),
  },
);
