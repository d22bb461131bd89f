import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { compileFilter, type PatternProblem, useCompilations } from "../match/filter/filter.ts";
import { type FrozenFilter, freezeFilter, thawUndated } from "../match/filter/frozen-filter.ts";
import { LOSS_FILTER } from "../match/loss.ts";
import { filterKey } from "./filter-key.ts";
import { filterNames, loadFilterFile } from "./find-filter.ts";
import { packageRoot } from "./package-root.ts";

/**
 * The library's filters, compiled by the build: compiling them at each start would take longer than everything else. The key is the whole
 * definition, so an edited filter is compiled at the start.
 */
type Precompiled = ReadonlyMap<
  string,
  { readonly frozen: FrozenFilter; readonly problems: readonly PatternProblem[] }
>;

/** Bytes for `dist/filters.bin`. */
export function precompileLibrary(): Buffer {
  const library = filterNames([join(packageRoot(), "filters")]).map(
    (name) => loadFilterFile(name).definition,
  );
  const table = new Map<string, { frozen: FrozenFilter; problems: readonly PatternProblem[] }>();
  for (const definition of [...library, LOSS_FILTER]) {
    if (definition === null || definition.datepattern !== undefined) continue;
    const { filter, problems } = compileFilter(definition);
    if (filter !== null)
      table.set(filterKey(definition), { frozen: freezeFilter(filter, undefined), problems });
  }
  return serialize(table satisfies Precompiled);
}

/** Lets `compileFilter` use the filters of the build. Without that file, as in tests, every filter is compiled. */
export function usePrecompiled(file: string = join(packageRoot(), "dist", "filters.bin")): void {
  let table: Precompiled;
  try {
    table = deserialize(readFileSync(file)) as Precompiled;
  } catch {
    return;
  }
  useCompilations((definition) => {
    const found = table.get(filterKey(definition));
    return found === undefined ? undefined : { filter: thawUndated(found.frozen), problems: found.problems };
  });
}
