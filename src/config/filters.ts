import { z } from "zod";
import { compileFilter, type FilterDefinition, type PatternProblem } from "../match/filter/filter.ts";
import { MOST_LINES } from "../match/window/most-lines.ts";
import { Report } from "../schema/report.ts";
import { Section, type Written } from "../schema/section.ts";
import * as v from "../schema/values.ts";
import { entryOf, parseYaml, type Tree } from "../schema/yaml-tree.ts";
import type { Chapter } from "./chapter.ts";

// A filter: its keys, in its own file or within a jail, and how it is read.

export const filterSchema = z
  .strictObject({
    failregex: patterns()
      .optional()
      .meta({
        description: "Matches a failure. `<HOST>` matches the address.",
        examples: [["^<SYSLOG>Failed password for .* from <HOST>"]],
      }),
    ignoreregex: patterns()
      .optional()
      .meta({
        description: "A line that one of these matches is ignored.",
        examples: [["from 192\\.0\\.2\\.9 "]],
      }),
    goodregex: patterns()
      .optional()
      .meta({
        description:
          "Matches a success, such as a login: the failures of the address are forgotten and its bans end (`on_good`, `trust_for`).",
        examples: [["^<SYSLOG>Accepted \\w+ for .* from <HOST>"]],
      }),
    prefregex: v
      .text("a regular expression")
      .optional()
      .meta({
        description:
          "Must match first. If it has `<F-CONTENT>…</F-CONTENT>`, the other patterns see only that part.",
        examples: ["^<SYSLOG><F-CONTENT>.+</F-CONTENT>$"],
      }),
    datepattern: v
      .text("a date pattern")
      .optional()
      .meta({
        description: "The format of timestamps, where they are not recognised.",
        examples: ["%Y/%m/%d %H:%M:%S"],
      }),
    daemon: v
      .text("a regular expression")
      .optional()
      .meta({
        description: "The program's name, for `<SYSLOG>`.",
        examples: ["sshd(?:-session)?"],
      }),
    maxlines: v
      .wholeNumber(2, MOST_LINES)
      .optional()
      .meta({
        description:
          "How many of the newest lines the patterns see at once, with `\\n` or `<SKIPLINES>` between them. One unless given. A session (`<F-MLFID>`) costs less.",
        examples: [5],
      }),
    session: v
      .duration({ forever: false, years: 1 })
      .optional()
      .meta({
        description:
          "How long after its last line a session ends: lines with the same `<F-MLFID>` share the client's address until then. 5 minutes unless given.",
        examples: ["2m"],
      }),
    define: z
      .record(z.string(), v.text("a regular expression"), {
        error: (issue) => `must be a map of tags, not ${v.shown(issue.input)}`,
      })
      .optional()
      .meta({
        description: "The filter's own tags: `<name>` stands for the regular expression given here.",
        examples: [{ method: "(?:password|publickey)" }],
      }),
  })
  .meta({ description: "A filter: what to look for in lines." });

export const filtersChapter: Chapter = {
  title: "Filters",
  text: "The keys of a filter's file, and of a filter written in a jail. Patterns are regular expressions with fail2ban's tags: one pattern, a list of them, or a block with one on each line.",
  parts: [{ title: null, text: "", schema: filterSchema }],
};

/** A filter as read. */
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
  const section = new Section({ what, report, tree, at: tree?.at ?? 0 });
  const definition = definitionOf(name, section.written(filterSchema));
  const notes = checkPatterns(definition, what, (problem) => {
    // A wrong key leaves its list empty, and was reported already.
    if (section.failed && isEmptyList(definition, problem)) return null;
    return { report, at: patternAt(tree, problem) ?? section.at };
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
    ...optional("maxlines", written.maxlines),
    ...optional("session", written.session),
    ...optional("define", written.define),
  };
}

/** Where a problem is to be reported; null when it was reported already. */
export type PlaceOfProblem = (
  problem: PatternProblem,
) => { readonly report: Report; readonly at: number } | null;

/** Compiles the patterns, reports errors, and returns warnings. */
export function checkPatterns(
  definition: FilterDefinition,
  what: string,
  placeOf: PlaceOfProblem,
): readonly string[] {
  return compileFilter(definition).problems.flatMap((problem) => {
    const place = placeOf(problem);
    if (place === null) return [];
    const fact = `${patternName(definition, problem)}${joined(problem.fact)}`;
    if (problem.severity === "warning") return [`${what}: ${fact} (${place.report.place(place.at)})`];
    place.report.error(what, fact, place.at);
    return [];
  });
}

/** The place of a problem's pattern among the keys of a filter or jail; null when its key is missing there. */
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
  const patternList = definition[list];
  return Array.isArray(patternList) && patternList.length === 0;
}

/** One pattern or a list; a block of text holds one on each line, as in fail2ban's files. */
function patterns() {
  return z
    .union([v.text("a regular expression"), z.array(v.text("a regular expression"))], {
      error: (issue) => `must be a regular expression or a list of them, not ${v.shown(issue.input)}`,
    })
    .transform((value) => (Array.isArray(value) ? value : linesOf(value)));
}

function linesOf(block: string): string[] {
  if (!block.includes("\n")) return [block];
  return block.split("\n").flatMap((line) => line.trim() || []);
}

/** `failregex 2`, `prefregex`; an empty list has no places. */
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
