import type { Programs } from "./dfa/program.ts";
import { PatternError } from "../filter/escape.ts";
import "./regex-flags.ts";

/**
 * What bounds a pattern's time. `linear`: V8's linear engine can run it. `automaton`: that engine cannot, our automaton can and gives
 * exact answers. `watched`: the automaton only tells most lines that do not match; the others V8 runs against the clock.
 */
export type CostClass = "linear" | "automaton" | "watched";

/** Which class a pattern is in; throws PatternError when nothing bounds it. */
export function costClass(source: string, programs: Programs | null): CostClass {
  if (isLinear(source)) return "linear";
  if (programs === null) throw new PatternError("is too large: cost cannot be bounded");
  return programs.forward.isExact ? "automaton" : "watched";
}

/** Lookaround, counts above 16 and such are beyond V8's linear engine. */
export function isLinear(source: string): boolean {
  try {
    // oxlint-disable-next-line no-invalid-regexp -- V8's own flag, allowed above
    return new RegExp(source, "l").flags === "l";
  } catch {
    return false;
  }
}
