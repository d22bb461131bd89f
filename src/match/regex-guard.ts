import { setFlagsFromString } from "node:v8";

/**
 * Makes V8's regular expressions bounded. After a thousand backtracks V8 starts over with its linear engine, for every
 * pattern which that engine can run; the flags hold for regular expressions compiled after this module was loaded. The
 * third flag only allows the flag `l`, by which a pattern is tested.
 */
setFlagsFromString("--enable-experimental-regexp-engine-on-excessive-backtracks");
setFlagsFromString("--regexp-backtracks-before-fallback=1000");
setFlagsFromString("--enable-experimental-regexp-engine");

/** `linear`: time grows with the line's length at most. `guarded`: only the line's length bounds it. */
export type CostClass = "linear" | "guarded";

/** Which class a pattern is in: lookaround, counts above 16 and such are beyond V8's linear engine. */
export function costClass(source: string): CostClass {
  try {
    // oxlint-disable-next-line no-invalid-regexp -- V8's own flag, allowed above
    return new RegExp(source, "l").flags === "l" ? "linear" : "guarded";
  } catch {
    return "guarded";
  }
}
