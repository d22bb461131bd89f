import type { LineBatch } from "../core/batch.ts";
import type { LineMatch } from "../core/line-match.ts";
import { counter, declareMetrics } from "../core/metrics.ts";
import type { Instant } from "../core/time.ts";
import type { Cuts } from "./cut/cuts.ts";
import type { BannedHosts } from "./banned/banned-search.ts";
import type { TimeZone } from "./time/time-zone.ts";

/**
 * Finds the lines that match a set of filters. Law: every engine finds every such line; `scan` never throws, and its work per line is
 * bounded.
 */
export interface Matcher {
  scan(batch: LineBatch, context: ScanContext, onMatch: (match: LineMatch) => void): void;
  readonly stats: MatcherStats;
}

export interface ScanContext {
  readonly now: Instant;
  /** For lines whose time names no zone. */
  readonly zone: TimeZone;
  /** The place of the one filter whose captures are used; all filters' without it. Captures cost an object per line. */
  readonly capturing?: number;
  /** Which lines lack their end; none without it. */
  readonly cuts?: Cuts;
  /** Lines from these hosts are skipped; none without it. */
  readonly banned?: BannedHosts;
}

/** Plain counters. The matcher writes them; status and metrics read them. */
export interface MatcherStats {
  bytes: number;
  batches: number;
  /** Lines that became strings because a filter might match. */
  candidates: number;
  /** Candidates whose end is missing, or may be. */
  cutLines: number;
  /** Lines that were skipped because every host in them is banned. */
  banned: number;
  /** Regular expressions that were run. */
  tries: number;
  failures: number;
  good: number;
  /** Lines that an ignoreregex excluded, once per filter. */
  ignored: number;
  /** Matches without a time that can be read. */
  undated: number;
  /** Matches whose host is a name. */
  names: number;
  /** Tries that were stopped or not started because the pattern takes too long on such lines. They count as no match. */
  givenUp: number;
  /** Work of the automata, and of V8 and steps/ in their place, in the units of LIMITS.lineWork. */
  work: number;
  /** How often the automata dropped their states to stay within LIMITS.dfaMemory. */
  statesForgotten: number;
  /** Sessions that made room for others. */
  sessionsForgotten: number;
  /** How often the literals were chosen again, by the frequencies in the traffic. */
  learned: number;
}

export function newMatcherStats(): MatcherStats {
  return {
    bytes: 0,
    batches: 0,
    candidates: 0,
    cutLines: 0,
    banned: 0,
    tries: 0,
    failures: 0,
    good: 0,
    ignored: 0,
    undated: 0,
    names: 0,
    givenUp: 0,
    work: 0,
    statesForgotten: 0,
    sessionsForgotten: 0,
    learned: 0,
  };
}

/** The counters of the matcher that the status of its source shows. */
export const MATCHER_METRICS = declareMetrics(
  { at: "sources.*", label: "source" },
  {
    givenUp: counter(
      "stoplog_matches_abandoned_total",
      "Tries of patterns that were stopped: they take too long on such lines.",
    ),
    cutLines: counter(
      "stoplog_cut_lines_examined_total",
      "Lines that a filter may match and whose end is missing, or may be: only what matches whatever follows counts.",
    ),
    statesForgotten: counter(
      "stoplog_automaton_resets_total",
      "Times the automata for long lines dropped their states: there were too many.",
    ),
    sessionsForgotten: counter(
      "stoplog_sessions_forgotten_total",
      "Sessions that were forgotten before their end: there were too many.",
    ),
  },
);
