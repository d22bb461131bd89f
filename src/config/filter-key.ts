import type { FilterDefinition } from "../match/filter/filter.ts";

/** Equal definitions have equal keys, whichever file or jail contains them. */
export function filterKey(definition: FilterDefinition): string {
  return JSON.stringify(definition);
}
