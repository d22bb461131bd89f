import { loadFilterFile } from "../../config/find-filter.ts";
import { compileFilter, type FilterDefinition } from "../../match/filter/filter.ts";

/** A library filter with the patterns of another one appended; null when they cannot be combined. */
export function withOurs(name: string, other: FilterDefinition | null): FilterDefinition | null {
  const { definition: ours } = loadFilterFile(name);
  if (ours === null || other === null) return ours;
  if (
    ours.prefregex !== undefined ||
    Object.keys(other.define ?? {}).some((tag) => ours.define?.[tag] !== undefined)
  )
    return null;
  const failregex = whole(other);
  if (failregex === null) return null;
  const datepattern = ours.datepattern ?? other.datepattern;
  const { prefregex: _, ...rest } = other;
  const joined: FilterDefinition = {
    ...rest,
    ...ours,
    ...((ours.define ?? other.define) ? { define: { ...ours.define, ...other.define } } : {}),
    failregex: [...ours.failregex, ...failregex],
    ignoreregex: [...ours.ignoreregex, ...other.ignoreregex],
    ...(datepattern === undefined ? {} : { datepattern }),
  };
  return compileFilter(joined).filter === null ? null : joined;
}

/** The patterns with prefregex prepended to each; null when that is impossible. */
function whole({ prefregex, failregex }: FilterDefinition): readonly string[] | null {
  if (prefregex === undefined) return failregex;
  const [, before] = /^(.*)<F-CONTENT>\.[+*]<\/F-CONTENT>\$?$/s.exec(prefregex) ?? [];
  if (before === undefined) return null;
  return failregex.map((pattern) =>
    pattern.startsWith("^") ? `${before}(?:${pattern.slice(1)})` : `${before}.*?(?:${pattern})`,
  );
}
