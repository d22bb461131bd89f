import { compilePattern, type CompiledPattern, type CompiledPrefix, type CompiledTest } from "./pattern.ts";
import type { Remark } from "./tags/expand.ts";
import { textTag } from "./tags/table.ts";
import type { TagContext } from "./tags/tag.ts";
import { compileDatePattern, type DatePattern } from "../time/date-pattern.ts";

/** A filter as it stands in its file. */
export interface FilterDefinition {
  readonly name: string;
  readonly failregex: readonly string[];
  readonly ignoreregex: readonly string[];
  readonly goodregex: readonly string[];
  /** Must match first; its `<F-CONTENT>`, if it has one, is all that the other patterns see. */
  readonly prefregex?: string;
  /** How the lines' time is written, where it is not found by itself. */
  readonly datepattern?: string;
  /** The program's name for `<SYSLOG>`, a regular expression. */
  readonly daemon?: string;
  /** The filter's own tags: `<name>` stands for the pattern given here. */
  readonly define?: Readonly<Record<string, string>>;
}

export type PatternList =
  | "failregex"
  | "ignoreregex"
  | "goodregex"
  | "prefregex"
  | "datepattern"
  | "define"
  | "daemon";

export interface PatternProblem {
  readonly list: PatternList;
  /** The place in the list; 0 where there is only one. */
  readonly index: number;
  readonly fact: string;
  readonly severity: "error" | "warning";
}

export interface CompiledFilter {
  readonly name: string;
  /** Good patterns first, then failures, each in the filter's order: the order in which they are tried. */
  readonly patterns: readonly CompiledPattern[];
  /** A line that one of these matches counts for nothing. They see the whole line. */
  readonly ignore: readonly CompiledTest[];
  readonly prefix: CompiledPrefix | null;
  readonly date: DatePattern | null;
}

export interface Compilation {
  /** Null when a problem is an error. */
  readonly filter: CompiledFilter | null;
  readonly problems: readonly PatternProblem[];
}

/** Compiles a filter, or says everything that is wrong with it. The same definition is compiled once. */
export function compileFilter(definition: FilterDefinition): Compilation {
  const known = compilations.get(definition);
  if (known !== undefined) return known;
  const compilation = compiledBefore(definition) ?? compile(definition);
  compilations.set(definition, compilation);
  return compilation;
}

/** Lets compilations of another time be used: `find` answers the one of just this definition, if there is any. */
export function useCompilations(find: (definition: FilterDefinition) => Compilation | undefined): void {
  compiledBefore = find;
}

let compiledBefore: (definition: FilterDefinition) => Compilation | undefined = () => undefined;
const compilations = new WeakMap<FilterDefinition, Compilation>();

function compile(definition: FilterDefinition): Compilation {
  const problems: PatternProblem[] = [];
  const note = (list: PatternList, index: number, remarks: readonly Remark[]): void => {
    for (const { fact, severity } of remarks) problems.push({ list, index, fact, severity });
  };
  const context: TagContext = { define: definition.define ?? {}, daemon: definition.daemon };
  checkTagNames(context.define, note);
  const compileOne = (list: PatternList, index: number, text: string): CompiledPattern | null => {
    const kind = list === "goodregex" ? "good" : "failure";
    const { pattern, remarks } = compilePattern(text, { kind, index, context });
    note(list, index, remarks);
    return pattern;
  };

  const prefix = definition.prefregex === undefined ? null : compileOne("prefregex", 0, definition.prefregex);
  const namesHost = (pattern: CompiledPattern): boolean =>
    pattern.hosts.length > 0 || (prefix?.hosts.length ?? 0) > 0;
  const compileList = (list: "failregex" | "goodregex"): CompiledPattern[] =>
    definition[list].flatMap((text, index) => {
      const pattern = compileOne(list, index, text);
      if (pattern !== null && definition.prefregex !== undefined && prefix === null) return [];
      if (pattern !== null && !namesHost(pattern)) {
        note(list, index, [{ fact: "has no <HOST>: nothing would say whom to ban", severity: "error" }]);
      }
      return pattern ?? [];
    });

  const good = compileList("goodregex");
  const failures = compileList("failregex");
  const ignore = definition.ignoreregex.flatMap(
    (text, index) => compileOne("ignoreregex", index, text) ?? [],
  );
  if (definition.failregex.length + definition.goodregex.length === 0) {
    note("failregex", 0, [{ fact: "is empty: the filter would find nothing", severity: "error" }]);
  }
  const date = compileDate(definition.datepattern, note);
  if (problems.some((problem) => problem.severity === "error")) return { filter: null, problems };
  return {
    filter: {
      name: definition.name,
      patterns: [...good, ...failures],
      ignore,
      prefix: asPrefix(prefix),
      date,
    },
    problems,
  };
}

type Note = (list: PatternList, index: number, remarks: readonly Remark[]) => void;

function checkTagNames(define: Readonly<Record<string, string>>, note: Note): void {
  Object.keys(define).forEach((name, index) => {
    if (!/^[A-Za-z][\w-]*$/.test(name)) {
      note("define", index, [
        { fact: `'${name}' cannot be a tag: letters, digits, - and _ only`, severity: "error" },
      ]);
    } else if (name.startsWith("F-") || typeof textTag(name)?.regex === "function") {
      note("define", index, [{ fact: `<${name}> is a tag already`, severity: "error" }]);
    }
  });
}

function compileDate(text: string | undefined, note: Note): DatePattern | null {
  if (text === undefined) return null;
  const { pattern, fact } = compileDatePattern(text);
  if (fact !== null) note("datepattern", 0, [{ fact, severity: "error" }]);
  return pattern;
}

function asPrefix(pattern: CompiledPattern | null): CompiledPrefix | null {
  if (pattern === null) return null;
  const content = pattern.captures.find((capture) => capture.name === "content");
  return { ...pattern, content: content?.groups[0] ?? 0 };
}
