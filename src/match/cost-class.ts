import { type AST, RegExpParser, visitRegExpAST } from "@eslint-community/regexpp";
import "./regex-flags.ts";

/**
 * `linear`: time grows with the line's length at most. `guarded`: with a power of it, so long lines are watched.
 * `nested`: with a power of 2, so every line is.
 */
export type CostClass = "linear" | "guarded" | "nested";

/** Which class a pattern is in. Lookaround, counts above 16 and such are beyond V8's linear engine. */
export function costClass(source: string): CostClass {
  if (isLinear(source)) return "linear";
  return hasNestedRepeats(source) ? "nested" : "guarded";
}

function isLinear(source: string): boolean {
  try {
    // oxlint-disable-next-line no-invalid-regexp -- V8's own flag, allowed above
    return new RegExp(source, "l").flags === "l";
  } catch {
    return false;
  }
}

/** Whether something that repeats without a close bound holds something that does too, as in `(a+)+`. */
function hasNestedRepeats(source: string): boolean {
  let depth = 0;
  let nested = false;
  const isLoose = ({ min, max }: AST.Quantifier): boolean => max - min > LOOSE;
  visitRegExpAST(new RegExpParser({ ecmaVersion: 2023 }).parsePattern(source), {
    onQuantifierEnter: (node) => {
      if (isLoose(node) && ++depth > 1) nested = true;
    },
    onQuantifierLeave: (node) => {
      if (isLoose(node)) depth--;
    },
  });
  return nested;
}

const LOOSE = 8;
