import { compilePattern, type CompiledPattern, type CompiledPrefix, type CompiledTest } from "./pattern.ts";
import { type Duration, MINUTE } from "../../core/time.ts";
import type { Remark } from "./tags/expand.ts";
import { textTag } from "./tags/table.ts";
import type { TagContext } from "./tags/tag.ts";
import { compileDatePattern, type DatePattern } from "../time/date-pattern.ts";

/** A filter as written in its file. */
export interface FilterDefinition {
  readonly name: string;
  readonly failregex: readonly string[];
  readonly ignoreregex: readonly string[];
  readonly goodregex: readonly string[];
  /** Must match first. If it has an `<F-CONTENT>`, failregex and goodregex see only that. */
  readonly prefregex?: string;
  /** How lines write their time, where readTimestamp does not find it. */
  readonly datepattern?: string;
  /** The program's name for `<SYSLOG>`, a regular expression. */
  readonly daemon?: string;
  /** How many of the newest lines the patterns see at once; 1 without it. */
  readonly maxlines?: number;
  /** How long after its last line a session ends (`<F-MLFID>`). */
  readonly session?: Duration;
  /** Tags of the filter: `<name>` stands for the pattern. */
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
  /** The place in the list; 0 for a single value. */
  readonly index: number;
  /** A predicate that follows the pattern's name, such as 'is empty: …'. */
  readonly fact: string;
  readonly severity: "error" | "warning";
}

export interface CompiledFilter {
  readonly name: string;
  /** In the order in which they are tried: good patterns, then failures, each in the filter's order. */
  readonly patterns: readonly CompiledPattern[];
  /** A line that one of these matches is ignored. They see the whole line. */
  readonly ignore: readonly CompiledTest[];
  readonly prefix: CompiledPrefix | null;
  readonly date: DatePattern | null;
  /** How many of the newest lines the patterns see at once. */
  readonly maxlines: number;
  /** How long after its last line a session ends; null when no pattern has `<F-MLFID>`. */
  readonly session: Duration | null;
}

export interface Compilation {
  /** Null when a problem is an error. */
  readonly filter: CompiledFilter | null;
  readonly problems: readonly PatternProblem[];
}

/** Compiles a filter, or lists everything that is wrong with it. Cached by the definition object. */
export function compileFilter(definition: FilterDefinition): Compilation {
  const known = compilations.get(definition);
  if (known !== undefined) return known;
  const compilation = compiledBefore(definition) ?? compile(definition);
  compilations.set(definition, compilation);
  return compilation;
}

/** Sets where to look for compilations that were made before; `find` returns the one of exactly this definition, if any. */
export function useCompilations(find: (definition: FilterDefinition) => Compilation | undefined): void {
  compiledBefore = find;
}

/** Compiles equal definitions once, whatever their names. For a process that ends soon: nothing is forgotten. */
export function rememberCompilations(): void {
  const known = new Map<string, Compilation>();
  const before = compiledBefore;
  compiledBefore = (definition) => {
    const key = JSON.stringify({ ...definition, name: "" });
    const { filter, problems } = known.get(key) ?? before(definition) ?? compile(definition);
    const named = { filter: filter === null ? null : { ...filter, name: definition.name }, problems };
    known.set(key, named);
    return named;
  };
}

let compiledBefore: (definition: FilterDefinition) => Compilation | undefined = () => undefined;
const compilations = new WeakMap<FilterDefinition, Compilation>();

function compile(definition: FilterDefinition): Compilation {
  const problems: PatternProblem[] = [];
  const note = (list: PatternList, index: number, remarks: readonly Remark[]): void => {
    for (const { fact, severity } of remarks) problems.push({ list, index, fact, severity });
  };
  const context: TagContext = { define: definition.define ?? {}, daemon: definition.daemon };
  const maxlines = definition.maxlines ?? 1;
  checkTagNames(context.define, note);
  const compileOne = (list: PatternList, index: number, text: string): CompiledPattern | null => {
    const kind = list === "goodregex" ? "good" : "failure";
    const { pattern, remarks } = compilePattern(text, { kind, index, context, manyLines: maxlines > 1 });
    if (maxlines === 1 && text.includes("<SKIPLINES>")) note(list, index, [NO_LINES]);
    note(list, index, remarks);
    return pattern;
  };

  const prefix = definition.prefregex === undefined ? null : compileOne("prefregex", 0, definition.prefregex);
  const namesHost = (pattern: CompiledPattern): boolean =>
    pattern.hosts.length > 0 || (prefix?.hosts.length ?? 0) > 0 || isInSession(pattern, prefix);
  const compileList = (list: "failregex" | "goodregex"): CompiledPattern[] =>
    definition[list].flatMap((text, index) => {
      const pattern = compileOne(list, index, text);
      if (pattern !== null && definition.prefregex !== undefined && prefix === null) return [];
      if (pattern !== null && !namesHost(pattern)) {
        note(list, index, [
          { fact: "has no <HOST>: it does not say which address to ban", severity: "error" },
        ]);
      }
      if (pattern !== null && saysOfNoSession(pattern, prefix)) note(list, index, [NO_SESSION]);
      return pattern ?? [];
    });

  const good = compileList("goodregex");
  const failures = compileList("failregex");
  const ignore = definition.ignoreregex.flatMap(
    (text, index) => compileOne("ignoreregex", index, text) ?? [],
  );
  if (definition.failregex.length + definition.goodregex.length === 0) {
    note("failregex", 0, [{ fact: "is empty: the filter would never match", severity: "error" }]);
  }
  const sessions = [...good, ...failures].filter((pattern) => isInSession(pattern, prefix));
  if (sessions.length > 0 && ![...sessions, prefix].some((pattern) => (pattern?.hosts.length ?? 0) > 0))
    note("failregex", 0, [{ fact: "has no <HOST> in any line of a session", severity: "error" }]);
  const date = compileDate(definition.datepattern, note);
  if (problems.some((problem) => problem.severity === "error")) return { filter: null, problems };
  return {
    filter: {
      name: definition.name,
      patterns: [...good, ...failures],
      ignore,
      prefix: asPrefix(prefix),
      date,
      maxlines,
      session: sessions.length > 0 ? (definition.session ?? DEFAULT_SESSION) : null,
    },
    problems,
  };
}

/** As in fail2ban. */
export const DEFAULT_SESSION: Duration = 5 * MINUTE;

/** Whether its lines may belong to sessions. */
export function isInSession(pattern: CompiledPattern, prefix: CompiledPattern | null): boolean {
  return (pattern.session?.id.length ?? 0) > 0 || (prefix?.session?.id.length ?? 0) > 0;
}

function saysOfNoSession(pattern: CompiledPattern, prefix: CompiledPattern | null): boolean {
  if (pattern.session === null || isInSession(pattern, prefix)) return false;
  const { gained, end } = pattern.session;
  return gained.length + end.length > 0;
}

const NO_LINES: Remark = {
  fact: "<SKIPLINES> needs maxlines: how many lines the filter looks at",
  severity: "error",
};

const NO_SESSION: Remark = {
  fact: "has <F-MLFGAINED> or <F-MLFFORGET> without <F-MLFID>: they change nothing",
  severity: "warning",
};

type Note = (list: PatternList, index: number, remarks: readonly Remark[]) => void;

function checkTagNames(define: Readonly<Record<string, string>>, note: Note): void {
  Object.keys(define).forEach((name, index) => {
    if (!/^[A-Za-z][\w-]*$/.test(name)) {
      note("define", index, [
        { fact: `'${name}' is not a valid tag name: use letters, digits, - and _`, severity: "error" },
      ]);
    } else if (name.startsWith("F-") || typeof textTag(name)?.regex === "function") {
      note("define", index, [{ fact: `<${name}> is a built-in tag`, severity: "error" }]);
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
