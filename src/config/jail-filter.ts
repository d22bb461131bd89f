import { z } from "zod";
import type { FilterDefinition } from "../match/filter/filter.ts";
import { missing } from "../schema/missing.ts";
import { shorten } from "../schema/shorten.ts";
import * as v from "../schema/values.ts";
import { entryOf, type Tree } from "../schema/yaml-tree.ts";
import { checkPatterns, definitionOf, filterSchema, isEmptyList, patternAt } from "./filters.ts";
import type { JailParts } from "./jail-parts.ts";

// The keys of a jail that say what it looks for in lines.

export const filterKeys = {
  filter: z
    .union([v.text("a filter"), filterSchema], {
      error: (issue) =>
        `must be a filter's name, the path of its file or the filter itself, not ${v.shown(issue.input)}`,
    })
    .optional()
    .meta({
      description:
        "What to look for: the name of a filter in the library or in /etc/stoplog/filters, the path of a file (relative to the configuration's directory), or a filter written in place. Without it, the filter with the jail's name.",
      examples: ["sshd", "./my-filter.yaml", { failregex: ["^<SYSLOG>denied <HOST>$"] }],
    }),
  failregex: filterSchema.shape.failregex.meta({
    description: "Replaces the filter's `failregex`.",
    examples: [["^<SYSLOG>denied <HOST>$"]],
  }),
  ignoreregex: filterSchema.shape.ignoreregex.meta({
    description: "Replaces the filter's `ignoreregex`.",
    examples: [["from 192\\.0\\.2\\.9 "]],
  }),
  goodregex: filterSchema.shape.goodregex.meta({
    description: "Replaces the filter's `goodregex`.",
    examples: [["^<SYSLOG>granted <HOST>$"]],
  }),
};

type Overrides = Partial<Pick<FilterDefinition, "failregex" | "ignoreregex" | "goodregex">>;

const OVERRIDES = ["failregex", "ignoreregex", "goodregex"] as const;

/** The filter that a jail names or holds, with the patterns that the jail replaces. */
export function filterOf(parts: JailParts): FilterDefinition {
  const { name, section, defaults, given, known } = parts;
  const holder = section.has("filter") ? section : defaults.section;
  const reference = section.has("filter") ? parts.own.filter : defaults.written.filter;
  const overrides: Overrides = Object.fromEntries(
    OVERRIDES.flatMap((list) => (given[list] === undefined ? [] : [[list, given[list]]])),
  );
  const places = [section.tree, defaults.section.tree, holder.entry("filter")?.value ?? null];
  const overridden = Object.keys(overrides).length > 0;
  const check = (definition: FilterDefinition): FilterDefinition => checked(definition, places, parts);
  const refuse = (fact: string): void => section.refuseAt(fact, holder.entry("filter")?.value.at);

  if (typeof reference === "object") return check({ ...definitionOf(name, reference), ...overrides });
  // A wrong `filter` was reported already.
  if (reference === undefined && holder.has("filter")) return definitionOf(name, overrides);
  const found = known.findFilter(reference ?? name);
  switch (found.kind) {
    case "read":
      if (found.errors.length > 0 || !overridden) return found.definition;
      return check({ ...found.definition, ...overrides });
    case "unreadable":
      refuse(`filter ${shorten(reference ?? name)} cannot be read: ${found.fact}`);
      return definitionOf(name, overrides);
    case "missing":
      if (reference === undefined && overridden) return check(definitionOf(name, overrides));
      // So were wrong patterns in the filter's place.
      if (reference === undefined && OVERRIDES.some((list) => section.has(list)))
        return definitionOf(name, {});
      refuse(missing("filter", reference ?? name, found.known));
      return definitionOf(name, overrides);
  }
}

/** Compiles a filter; a problem is reported where its pattern is, and not at all when that is the filter's own file. */
function checked(
  definition: FilterDefinition,
  places: readonly (Tree | null)[],
  { section, known }: JailParts,
): FilterDefinition {
  const { report } = section;
  const warnings = checkPatterns(definition, section.what, (problem) => {
    // A wrong key leaves its list empty, and was reported already.
    if (section.failed && isEmptyList(definition, problem)) return null;
    const at = places.map((tree) => patternAt(tree, problem)).find((place) => place !== null);
    if (at !== undefined) return { report, at };
    // What is in the filter's own file was reported there.
    return isEmptyList(definition, problem)
      ? { report, at: entryOf(section.tree, "filter")?.value.at ?? section.at }
      : null;
  });
  known.notes.push(...warnings);
  return definition;
}
