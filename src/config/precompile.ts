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
interface Precompiled {
  readonly frozen: FrozenFilter;
  readonly problems: readonly PatternProblem[];
}

/** Where each filter begins in the file after the index, and its length. A configuration needs few of them, and reading all takes 30 ms. */
type Index = ReadonlyMap<string, readonly [number, number]>;

/** Bytes for `dist/filters.bin`: the length of the index, the index, and each filter by itself. */
export function precompileLibrary(): Buffer {
  const library = filterNames([join(packageRoot(), "filters")]).map(
    (name) => loadFilterFile(name).definition,
  );
  const index = new Map<string, readonly [number, number]>();
  const filters: Buffer[] = [];
  let length = 0;
  for (const definition of [...library, LOSS_FILTER]) {
    if (definition === null || definition.datepattern !== undefined) continue;
    const { filter, problems } = compileFilter(definition);
    if (filter === null) continue;
    const bytes = serialize({ frozen: freezeFilter(filter, undefined), problems } satisfies Precompiled);
    index.set(filterKey(definition), [length, bytes.length]);
    filters.push(bytes);
    length += bytes.length;
  }
  const head = serialize(index satisfies Index);
  const size = Buffer.alloc(4);
  size.writeUInt32LE(head.length);
  return Buffer.concat([size, head, ...filters]);
}

/** Lets `compileFilter` use the filters of the build. Without that file, as in tests, every filter is compiled. */
export function usePrecompiled(file: string = join(packageRoot(), "dist", "filters.bin")): void {
  let index: Index;
  let filters: Buffer;
  try {
    const bytes = readFileSync(file);
    const begin = 4 + bytes.readUInt32LE();
    index = deserialize(bytes.subarray(4, begin)) as Index;
    filters = bytes.subarray(begin);
  } catch {
    return;
  }
  useCompilations((definition) => {
    const [offset, length] = index.get(filterKey(definition)) ?? [];
    if (offset === undefined || length === undefined) return undefined;
    const { frozen, problems } = deserialize(filters.subarray(offset, offset + length)) as Precompiled;
    return { filter: thawUndated(frozen), problems };
  });
}
