import type { FilterDefinition } from "../match/filter/filter.ts";

/** Filters are the same when they say the same, wherever they were written. */
export function filterKey(definition: FilterDefinition): string {
  return JSON.stringify(definition);
}
