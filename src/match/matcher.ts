import { FastMatcher } from "./engine.ts";
import type { CompiledFilter } from "./filter/filter.ts";
import { NaiveMatcher } from "./naive.ts";
import type { Matcher } from "./scan.ts";

export type { Matcher } from "./scan.ts";

/** A failure's `filter` is the place in `filters`. A filter that stands there twice is looked for twice. */
export function createMatcher(
  filters: readonly CompiledFilter[],
  options: { readonly engine?: "naive" | "fast" } = {},
): Matcher {
  return options.engine === "naive" ? new NaiveMatcher(filters) : new FastMatcher(filters);
}

/** The fast one, made a little in each turn of the event loop. */
export function createMatcherInSteps(filters: readonly CompiledFilter[]): Promise<Matcher> {
  return FastMatcher.makeInSteps(filters);
}
