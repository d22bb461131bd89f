import { FastMatcher } from "./engine.ts";
import type { CompiledFilter } from "./filter/filter.ts";
import { NaiveMatcher } from "./naive.ts";
import type { Matcher } from "./scan.ts";

export type { Matcher } from "./scan.ts";

/** Makes a matcher for `filters`; the `filter` of a match is the place in that list. */
export function createMatcher(
  filters: readonly CompiledFilter[],
  options: { readonly engine?: "naive" | "fast" } = {},
): Matcher {
  return options.engine === "naive" ? new NaiveMatcher(filters) : new FastMatcher(filters);
}

/** Makes the fast matcher over several turns of the event loop. */
export function createMatcherInSteps(filters: readonly CompiledFilter[]): Promise<Matcher> {
  return FastMatcher.makeInSteps(filters);
}
