import type { Programs } from "./dfa/program.ts";
import { PatternError } from "../filter/escape.ts";
import "./regex-flags.ts";

/**
 * What bounds the time of a pattern. `linear`: V8's linear engine runs it. `automaton`: only the automaton in dfa/ runs it, and its answers
 * are exact. `steps`: the automaton only excludes lines that do not match, and steps/ runs the pattern on the others.
 */
export type CostClass = "linear" | "automaton" | "steps";

/** Throws PatternError when nothing bounds the time of the pattern. */
export function costClass(source: string, programs: Programs | null): CostClass {
  if (isLinear(source)) return "linear";
  if (programs === null) throw new PatternError("is too large: cost cannot be bounded");
  if (programs.forward.isExact) return "automaton";
  if (programs.steps === null) throw new PatternError("is too large: cost cannot be bounded");
  return "steps";
}

/** Whether V8's linear engine runs it. It refuses lookaround, counts above 16 and the like. */
export function isLinear(source: string): boolean {
  try {
    // oxlint-disable-next-line no-invalid-regexp -- V8's own flag, enabled by regex-flags.ts
    return new RegExp(source, "l").flags === "l";
  } catch {
    return false;
  }
}
