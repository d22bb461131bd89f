import type { LineMatch } from "../core/line-match.ts";
import { Confirmer } from "./run/confirmer.ts";
import type { CompiledFilter } from "./filter/filter.ts";
import { NaiveMatcher } from "./naive.ts";
import { plainLine } from "./plain/plain-lines.ts";
import { newMatcherStats, type ScanContext } from "./scan.ts";

/** What one filter finds in one line. */
export type Explanation =
  | { readonly kind: "failure" | "good"; readonly pattern: number; readonly match: LineMatch }
  | { readonly kind: "ignored" }
  /** The line told of a session: it gave an address, or waits for one. */
  | { readonly kind: "noted"; readonly list: "failure" | "good"; readonly pattern: number }
  | { readonly kind: "missed" };

/**
 * Says what a filter finds in a line (one character per byte, without its line end), for `stoplog test`. Lines that are asked about one
 * after another are of one log: a session joins them.
 */
export function explainLine(filter: CompiledFilter, line: string, context: ScanContext): Explanation {
  const confirmer = confirmerFor(filter);
  const { text, origin } = plainLine(line);
  if (filter.maxlines > 1) return explainWindow(filter, line, context);
  confirmer.begin(text, text.length, context, { origin });
  if (confirmer.isIgnored(filter)) return { kind: "ignored" };
  const match = confirmer.match(filter, 0);
  if (match !== null) return { kind: match.kind, pattern: match.pattern, match };
  const { noted } = confirmer;
  return noted === null ? { kind: "missed" } : { kind: "noted", list: noted.kind, pattern: noted.index };
}

/** The line is the newest of those that the filter was asked about. */
function explainWindow(filter: CompiledFilter, line: string, context: ScanContext): Explanation {
  const matcher = wide.get(filter) ?? new NaiveMatcher([filter]);
  wide.set(filter, matcher);
  const bytes = Buffer.from(`${line}\n`, "latin1");
  const matches: LineMatch[] = [];
  const { ignored } = matcher.stats;
  matcher.scan({ bytes, start: 0, end: bytes.length, backlog: false }, context, (one) => matches.push(one));
  const [match] = matches;
  if (match !== undefined) return { kind: match.kind, pattern: match.pattern, match };
  return { kind: matcher.stats.ignored > ignored ? "ignored" : "missed" };
}

const wide = new WeakMap<CompiledFilter, NaiveMatcher>();

/** One per filter, kept for the next line: its automata keep the states that they have made. */
const confirmers = new WeakMap<CompiledFilter, Confirmer>();

function confirmerFor(filter: CompiledFilter): Confirmer {
  const known = confirmers.get(filter);
  if (known !== undefined) return known;
  const confirmer = new Confirmer(newMatcherStats());
  confirmers.set(filter, confirmer);
  return confirmer;
}
