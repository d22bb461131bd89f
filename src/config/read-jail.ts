import type { z } from "zod";
import type { FilterDefinition } from "../match/filter/filter.ts";
import type { JailConfig } from "./config.ts";
import { checkPatterns, definitionOf, isEmptyList, patternAt } from "./filter-text.ts";
import { buildGrowth } from "./read-growth.ts";
import { buildOffload, checkOffload } from "./read-offload.ts";
import { defaultOf, entryOf, type Where } from "./read-object.ts";
import { buildSelection } from "./read-packets.ts";
import { buildSteps } from "./read-steps.ts";
import { jailSchema } from "./jail-schema.ts";
import { type Known, listed, missing, type Section } from "./section.ts";
import { NAME } from "./values.ts";
import { type Entry, shorten, type Tree } from "./yaml-tree.ts";

type JailKey = keyof z.output<typeof jailSchema>;

/** Builds a jail of its own keys and the defaults; whatever it refers to must exist. */
export function buildJail(name: string, jail: Section, defaults: Section, known: Known): JailConfig {
  checkReferences(jail, known);
  const value = <Key extends JailKey>(key: Key) =>
    jail.written[key] ?? defaults.written[key] ?? defaultOf(jailSchema, key);
  const must = <Key extends JailKey>(key: Key) => value(key) as NonNullable<z.output<typeof jailSchema>[Key]>;
  const offload = buildOffload(jail, defaults);
  if (
    offload === null &&
    entryOf(jail.tree, "sources") === null &&
    entryOf(defaults.tree, "sources") === null
  ) {
    jail.where.report.error(
      jail.where.what,
      `sources is missing${listed("there are", known.sources)}`,
      jail.where.at,
    );
  }
  const packets = buildSelection(jail, defaults, known);
  const steps = buildSteps(jail, defaults, known, packets === null ? "lines" : "packets");
  const usedns = must("usedns");
  if (usedns === "warn") known.notes.push(`${jail.where.what}: usedns: warn looks up names, as yes does`);
  if (offload !== null) checkOffload(name, steps.steps, jail, known);
  const ignoreip = must("ignoreip");
  return {
    name,
    sources: offload === null ? [...new Set(value("sources") ?? [])] : [],
    filter: packets === null ? buildFilter(name, jail, defaults, known) : null,
    ...(packets === null ? {} : { packets }),
    ...(offload === null ? {} : { offload }),
    findtime: must("findtime"),
    ...steps,
    ...buildGrowth(offload === null ? value("increment") : false),
    ignoreip: ignoreip.filter((entry) => entry !== "self"),
    ignoreSelf: must("ignoreself") || ignoreip.includes("self") || known.ignoreSelf,
    ipv4Prefix: must("ipv4_prefix"),
    ipv6Prefix: must("ipv6_prefix"),
    usedns: usedns === true || usedns === "yes" || usedns === "warn",
    onGood: must("on_good"),
    trustFor: value("trust_for") ?? 0,
    countWith: offload === null ? (value("count_with") ?? null) : null,
    addresses: must("addresses"),
  };
}

/** Sources and target of a section, each at its own place. */
export function checkReferences({ tree, written, where }: Section, known: Known): void {
  // Taken from the tree, since one wrong item makes the whole list unusable, but hides nothing.
  for (const { at, value } of scalarsOf(entryOf(tree, "sources"))) {
    if (typeof value !== "string" || !NAME.test(value)) continue;
    if (known.gives.get(value) === "orders") {
      refuse(where, `source ${value} brings orders, which go to no jail`, at);
      continue;
    }
    if (known.sources.includes(value)) continue;
    refuse(where, missing("source", value, known.sources), at);
  }
  const target = entryOf(tree, "target");
  if (written.target !== undefined && !known.targets.has(written.target)) {
    refuse(where, missing("target", written.target, [...known.targets.keys()]), target?.value.at ?? null);
  }
}

function refuse(where: Where, fact: string, at: number | null): void {
  where.report.error(where.what, fact, at ?? where.at);
}

function scalarsOf(entry: Entry | null): Extract<Tree, { kind: "scalar" }>[] {
  if (entry === null) return [];
  const items = entry.value.kind === "list" ? entry.value.items : [entry.value];
  return items.filter((item) => item.kind === "scalar");
}

type Overrides = Partial<Pick<FilterDefinition, "failregex" | "ignoreregex" | "goodregex">>;

const OVERRIDES = ["failregex", "ignoreregex", "goodregex"] as const;

/** The filter that was named or written, with the patterns that stand beside it in their place. */
function buildFilter(name: string, jail: Section, defaults: Section, known: Known): FilterDefinition {
  const holder = has(jail, "filter") ? jail : defaults;
  const reference = holder.written.filter;
  const overrides: Overrides = Object.fromEntries(
    OVERRIDES.flatMap((list) => {
      const patterns = jail.written[list] ?? defaults.written[list];
      return patterns === undefined ? [] : [[list, patterns]];
    }),
  );
  const places = [jail.tree, defaults.tree, entryOf(holder.tree, "filter")?.value ?? null];
  const overridden = Object.keys(overrides).length > 0;
  const check = (definition: FilterDefinition): FilterDefinition => checked(definition, jail, places, known);

  if (typeof reference === "object") return check({ ...definitionOf(name, reference), ...overrides });
  if (reference === undefined && has(holder, "filter")) return definitionOf(name, overrides); // told already
  const found = known.findFilter(reference ?? name);
  switch (found.kind) {
    case "read":
      if (found.errors.length > 0 || !overridden) return found.definition;
      return check({ ...found.definition, ...overrides });
    case "unreadable":
      refuse(
        jail.where,
        `filter ${shorten(reference ?? name)} cannot be read: ${found.fact}`,
        filterAt(holder),
      );
      return definitionOf(name, overrides);
    case "missing":
      if (reference === undefined && overridden) return check(definitionOf(name, overrides));
      if (reference === undefined && OVERRIDES.some((list) => has(jail, list))) return definitionOf(name, {}); // told
      refuse(jail.where, missing("filter", reference ?? name, found.known), filterAt(holder));
      return definitionOf(name, overrides);
  }
}

/** Compiles a filter; each problem is told where the pattern stands, and not at all when it stands elsewhere. */
function checked(
  definition: FilterDefinition,
  jail: Section,
  places: readonly (Tree | null)[],
  { notes }: Known,
): FilterDefinition {
  const { report } = jail.where;
  const warnings = checkPatterns(definition, jail.where, (problem) => {
    // A key that is wrong leaves its list empty; to say that too would be to say it twice.
    if (jail.failed && isEmptyList(definition, problem)) return null;
    const at = places.map((tree) => patternAt(tree, problem)).find((place) => place !== null);
    if (at !== undefined) return { report, at };
    // What stands in the filter's own file was told there.
    return isEmptyList(definition, problem) ? { report, at: filterAt(jail) ?? jail.where.at } : null;
  });
  notes.push(...warnings);
  return definition;
}

function has({ tree }: Section, key: string): boolean {
  return entryOf(tree, key) !== null;
}

function filterAt(section: Section): number | null {
  return entryOf(section.tree, "filter")?.value.at ?? null;
}
