import type { CompiledFilter } from "./filter.ts";
import { NaiveMatcher } from "./naive.ts";
import type { Matcher } from "./scan.ts";

export type { Matcher, MatcherStats, ScanContext } from "./scan.ts";

/** A sighting's `filter` is the place in `filters`. A filter that stands there twice is looked for twice. */
export function createMatcher(
  filters: readonly CompiledFilter[],
  options: { readonly engine?: "naive" | "fast" } = {},
): Matcher {
  void options;
  return new NaiveMatcher(filters);
}
