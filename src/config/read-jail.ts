import type { z } from "zod";
import type { FilterDefinition } from "../match/filter.ts";
import type { JailConfig } from "./config.ts";
import { checkPatterns, definitionOf, type FilterReading, isEmptyList, patternAt } from "./filter-text.ts";
import { defaultOf, didYouMean, entryOf, type Where, type Written } from "./read-object.ts";
import { jailSchema } from "./jail-schema.ts";
import { NAME } from "./values.ts";
import { type Entry, shorten, type Tree } from "./yaml-tree.ts";

export type WrittenJail = Written<typeof jailSchema>;
type JailKey = keyof z.output<typeof jailSchema>;

/** What a name or path of a filter leads to. */
export type FilterFound =
  | ({ readonly kind: "read" } & FilterReading)
  | { readonly kind: "missing"; readonly known: readonly string[] }
  | { readonly kind: "unreadable"; readonly fact: string };

/** What jails may refer to. */
export interface Known {
  readonly sources: readonly string[];
  readonly targets: readonly string[];
  readonly findFilter: (reference: string) => FilterFound;
  readonly notes: string[];
  /** `self` in the ignoreip of all. */
  readonly ignoreSelf: boolean;
}

/** Some keys as they stand in the file: a jail, or the defaults for all. */
export interface Section {
  readonly tree: Tree | null;
  readonly written: WrittenJail;
  readonly where: Where;
  /** Whether something in it was wrong, and told. */
  readonly failed: boolean;
}

/** Builds a jail of its own keys and the defaults; whatever it refers to must exist. */
export function buildJail(name: string, jail: Section, defaults: Section, known: Known): JailConfig {
  checkReferences(jail, known);
  const value = <Key extends JailKey>(key: Key) =>
    jail.written[key] ?? defaults.written[key] ?? defaultOf(jailSchema, key);
  const must = <Key extends JailKey>(key: Key) => value(key) as NonNullable<z.output<typeof jailSchema>[Key]>;
  if (entryOf(jail.tree, "sources") === null && entryOf(defaults.tree, "sources") === null) {
    jail.where.report.error(
      jail.where.what,
      `sources is missing${listed("there are", known.sources)}`,
      jail.where.at,
    );
  }
  const usedns = must("usedns");
  if (usedns === "warn") known.notes.push(`${jail.where.what}: usedns: warn looks up names, as yes does`);
  const ignoreip = must("ignoreip");
  return {
    name,
    sources: [...new Set(value("sources") ?? [])],
    filter: buildFilter(name, jail, defaults, known),
    maxretry: must("maxretry"),
    findtime: must("findtime"),
    bantime: must("bantime"),
    target: must("target"),
    ignoreip: ignoreip.filter((entry) => entry !== "self"),
    ignoreSelf: must("ignoreself") || ignoreip.includes("self") || known.ignoreSelf,
    ipv4Prefix: must("ipv4_prefix"),
    ipv6Prefix: must("ipv6_prefix"),
    usedns: usedns === true || usedns === "yes" || usedns === "warn",
    onGood: must("on_good"),
    addresses: must("addresses"),
  };
}

/** Sources and target of a section, each at its own place. */
export function checkReferences({ tree, written, where }: Section, known: Known): void {
  // Taken from the tree, since one wrong item makes the whole list unusable, but hides nothing.
  for (const { at, value } of scalarsOf(entryOf(tree, "sources"))) {
    if (typeof value !== "string" || !NAME.test(value) || known.sources.includes(value)) continue;
    refuse(where, missing("source", value, known.sources), at);
  }
  const target = entryOf(tree, "target");
  if (written.target !== undefined && !known.targets.includes(written.target)) {
    refuse(where, missing("target", written.target, known.targets), target?.value.at ?? null);
  }
}

/** `source mail does not exist (did you mean mail2?); there are auth, mail2`. */
export function missing(kind: string, name: string, names: readonly string[]): string {
  return `${kind} ${shorten(name)} does not exist${didYouMean(name, names)}${listed("there are", names)}`;
}

function refuse(where: Where, fact: string, at: number | null): void {
  where.report.error(where.what, fact, at ?? where.at);
}

function scalarsOf(entry: Entry | null): Extract<Tree, { kind: "scalar" }>[] {
  if (entry === null) return [];
  const items = entry.value.kind === "list" ? entry.value.items : [entry.value];
  return items.filter((item) => item.kind === "scalar");
}

function listed(words: string, names: readonly string[]): string {
  if (names.length === 0) return "; there is none";
  const most = 30;
  const more = names.length > most ? ` and ${names.length - most} more` : "";
  return `; ${words} ${names.slice(0, most).toSorted().join(", ")}${more}`;
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
