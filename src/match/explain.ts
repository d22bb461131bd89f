import type { Failure } from "../core/failure.ts";
import { Confirmer } from "./run/confirm.ts";
import type { CompiledFilter } from "./filter/filter.ts";
import { newMatcherStats, type ScanContext } from "./scan.ts";

/** What one filter makes of one line. */
export type Explanation =
  | { readonly kind: "failure" | "good"; readonly pattern: number; readonly failure: Failure }
  | { readonly kind: "ignored" }
  | { readonly kind: "missed" };

/** Says what a filter sees in a line (one character a byte, without its end), for `stoplog test`. */
export function explainLine(filter: CompiledFilter, line: string, context: ScanContext): Explanation {
  const confirmer = confirmerFor(filter);
  confirmer.begin(line, context);
  if (confirmer.isIgnored(filter)) return { kind: "ignored" };
  const failure = confirmer.sight(filter, 0, null, 0, 0);
  return failure === null ? { kind: "missed" } : { kind: failure.kind, pattern: failure.pattern, failure };
}

/** Kept for the next line: what its automata have found out need not be found out again. */
const confirmers = new WeakMap<CompiledFilter, Confirmer>();

function confirmerFor(filter: CompiledFilter): Confirmer {
  const known = confirmers.get(filter);
  if (known !== undefined) return known;
  const confirmer = new Confirmer(newMatcherStats());
  confirmers.set(filter, confirmer);
  return confirmer;
}
