import { compileFilter, type FilterDefinition, type PatternProblem } from "../match/filter/filter.ts";
import { entryOf, readObject, type Where, type Written } from "./read-object.ts";
import { Report } from "./report.ts";
import { filterSchema } from "./jail-schema.ts";
import { parseYaml, type Tree } from "./yaml-tree.ts";

/** A filter as read, and where in its file each pattern stands. */
export interface FilterReading {
  readonly definition: FilterDefinition;
  /** Empty when the filter can be used. */
  readonly errors: readonly string[];
  readonly notes: readonly string[];
}

/** Reads a filter's own file. */
export function readFilterText(text: string, file: string, name: string): FilterReading {
  const { tree, faults, place } = parseYaml(text);
  const report = new Report(file, place);
  const what = `filter ${name}`;
  if (faults.length > 0) {
    report.faults(what, faults);
    return { definition: definitionOf(name, {}), errors: report.sentences, notes: [] };
  }
  const where = { what, report, at: tree?.at ?? 0 };
  const written = readObject(filterSchema, tree, where);
  const definition = definitionOf(name, written);
  // A key that is wrong leaves its list empty; to say that too would be to say it twice.
  const failed = report.count > 0;
  const notes = checkPatterns(definition, where, (problem) => {
    if (failed && isEmptyList(definition, problem)) return null;
    return { report, at: patternAt(tree, problem) ?? where.at };
  });
  return { definition, errors: report.sentences, notes };
}

/** A definition with what was written, and empty lists for the rest. */
export function definitionOf(
  name: string,
  written: Written<typeof filterSchema> | Partial<FilterDefinition>,
): FilterDefinition {
  return {
    name,
    failregex: written.failregex ?? [],
    ignoreregex: written.ignoreregex ?? [],
    goodregex: written.goodregex ?? [],
    ...optional("prefregex", written.prefregex),
    ...optional("datepattern", written.datepattern),
    ...optional("daemon", written.daemon),
    ...optional("define", written.define),
  };
}

/** Where a problem is to be told; null when it was told already. */
export type PlaceOfProblem = (
  problem: PatternProblem,
) => { readonly report: Report; readonly at: number } | null;

/** Compiles the patterns, reports what is wrong with them, and answers what merely ought to be known. */
export function checkPatterns(
  definition: FilterDefinition,
  where: Pick<Where, "what">,
  placeOf: PlaceOfProblem,
): readonly string[] {
  return compileFilter(definition).problems.flatMap((problem) => {
    const place = placeOf(problem);
    if (place === null) return [];
    const fact = `${patternName(definition, problem)}${joined(problem.fact)}`;
    if (problem.severity === "warning") return [`${where.what}: ${fact} (${place.report.place(place.at)})`];
    place.report.error(where.what, fact, place.at);
    return [];
  });
}

/** Where the pattern of a problem stands among the keys of a filter or jail; null when it does not stand there. */
export function patternAt(tree: Tree | null, { list, index }: PatternProblem): number | null {
  const entry = entryOf(tree, list);
  if (entry === null) return null;
  const { value, keyAt } = entry;
  if (value.kind === "list") return value.items[index]?.at ?? keyAt;
  if (value.kind === "map") return [...value.entries.values()][index]?.keyAt ?? keyAt;
  return value.value === null ? keyAt : value.at;
}

/** Whether a problem is that there are no patterns at all. */
export function isEmptyList(definition: FilterDefinition, { list }: PatternProblem): boolean {
  const patterns = definition[list];
  return Array.isArray(patterns) && patterns.length === 0;
}

/** `failregex 2`, `prefregex`; a list that is empty has no places. */
function patternName(definition: FilterDefinition, problem: PatternProblem): string {
  const { list, index } = problem;
  const isPlain = !Array.isArray(definition[list]) || isEmptyList(definition, problem);
  return isPlain ? list : `${list} ${index + 1}`;
}

/** Facts come as 'has no <HOST>', as 'unknown tag <HOSTT>' and as sentences of their own. */
function joined(fact: string): string {
  if (/^(?:has|is) /.test(fact)) return ` ${fact}`;
  return /^(?:unknown|unterminated|unmatched|invalid|incomplete|duplicate|lone) /.test(fact)
    ? ` has ${fact}`
    : `: ${fact}`;
}

function optional<Key extends string, Value>(
  key: Key,
  value: Value | undefined,
): Partial<Record<Key, Value>> {
  return value === undefined ? {} : ({ [key]: value } as Partial<Record<Key, Value>>);
}
