import { BannedSearch } from "./banned/banned-search.ts";
import { ByteSet } from "./filter/byte-set.ts";
import type { CompiledFilter } from "./filter/filter.ts";
import type { Requirement } from "./prefilter/literals.ts";
import { REPEATED_LITERAL } from "./run/repeated-message.ts";

/**
 * What the fast engine knows of its filters, whatever the traffic. The patterns of all filters share one numbering; the last number
 * is that of the wrapper of repeated messages.
 */
export interface ScanPlan {
  readonly filters: readonly CompiledFilter[];
  /** The number of each filter's first pattern, then the number of patterns. */
  readonly bases: Int32Array;
  /** The filter of each pattern; -1 for the wrapper of repeated messages. */
  readonly filterOf: Int32Array;
  readonly requirements: readonly (readonly Requirement[])[];
  /** By pattern, the search for its hosts; null for good patterns, whose lines are never skipped. Equal searches are one object. */
  readonly searches: readonly (BannedSearch | null)[];
  /** Every search once. */
  readonly distinctSearches: readonly BannedSearch[];
  /** Patterns without a usable literal. */
  readonly everyLine: Int32Array;
  /** By filter, 1 for one with `maxlines`: its patterns are not tried on single lines. */
  readonly isWide: Uint8Array;
  /** By filter, 1 for one with `maxlines` and a pattern without a usable literal: it looks at every line. */
  readonly isWideEverywhere: Uint8Array;
}

export function scanPlan(filters: readonly CompiledFilter[]): ScanPlan {
  const bases: number[] = [];
  const filterOf: number[] = [];
  const searches: (BannedSearch | null)[] = [];
  const byText = new Map<string, BannedSearch>();
  const requirements: (readonly Requirement[])[] = [];
  filters.forEach((filter, place) => {
    bases.push(filterOf.length);
    for (const pattern of filter.patterns) {
      filterOf.push(place);
      // A skipped line would not end its session: a later client with the same id could get its address.
      const mayBeSkipped =
        filter.prefix === null &&
        filter.maxlines === 1 &&
        pattern.kind === "failure" &&
        (pattern.session?.id.length ?? 0) === 0;
      searches.push(mayBeSkipped ? searchFor(pattern.textBeforeHost, byText) : null);
      // A literal in the content is a literal in the line; those of prefregex serve patterns that have none.
      requirements.push(
        pattern.requirements.length > 0 ? pattern.requirements : (filter.prefix?.requirements ?? []),
      );
    }
  });
  bases.push(filterOf.length);
  const isWide = Uint8Array.from(filters, ({ maxlines }) => Number(maxlines > 1));
  const isWideEverywhere = new Uint8Array(filters.length);
  const everyLine = requirements.flatMap((list, pattern) => {
    const filter = filterOf[pattern]!;
    if (list.length === 0 && isWide[filter] === 1) isWideEverywhere[filter] = 1;
    return list.length > 0 || isWide[filter] === 1 ? [] : [pattern];
  });
  filterOf.push(-1);
  requirements.push([[Array.from(REPEATED_LITERAL, (char) => ByteSet.of(char.charCodeAt(0)))]]);
  return {
    filters,
    bases: Int32Array.from(bases),
    filterOf: Int32Array.from(filterOf),
    requirements,
    searches,
    distinctSearches: [...byText.values()],
    everyLine: Int32Array.from(everyLine),
    isWide,
    isWideEverywhere,
  };
}

function searchFor(text: string | null, byText: Map<string, BannedSearch>): BannedSearch | null {
  if (text === null) return null;
  const search = byText.get(text) ?? new BannedSearch(text);
  byText.set(text, search);
  return search;
}
