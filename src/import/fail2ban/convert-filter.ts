import { compileFilter, type FilterDefinition, type PatternList } from "../../match/filter/filter.ts";
import { convertPattern, type Dates, UNDATED } from "./convert-pattern.ts";
import { ANY_DATE, dateShape } from "./date-shape.ts";
import type { Written } from "../../core/ini.ts";
import type { Notes } from "./notes.ts";

/** A filter's options as a jail has them. */
export interface FilterOptions {
  /** For messages: `filter NAME`. */
  readonly what: string;
  readonly get: (option: string) => Written | null;
}

/** A converted filter. */
export interface Converted {
  /** Null when no pattern of it can be used. */
  readonly definition: FilterDefinition | null;
  /** Whether some of its failregex were left out. */
  readonly lost: boolean;
}

/** Converts a filter of fail2ban. Notes what it leaves out. */
export function convertFilter(options: FilterOptions, notes: Notes): Converted {
  const spans = sayMaxlines(options, notes);
  sayMany(options, notes);
  const { cut, pattern, isWithin } = dateShape(datepatternOf(options, notes));
  const prefregex = nonEmpty(options.get("prefregex")?.text.trim());
  const dates: Dates =
    cut === null
      ? UNDATED
      : { where: isWithin ? "within" : "begin", tag: cut === ANY_DATE ? "DATE" : OWN_DATE };
  // The content that prefregex hands over has no date before it.
  const inner = prefregex?.includes("<F-CONTENT>") === true ? UNDATED : dates;
  const list = (option: "failregex" | "ignoreregex", how: Dates): string[] =>
    linesOf(options.get(option)).flatMap((text, index) => {
      if (text.length > LONGEST_PATTERN) {
        const fact = `longer than ${LONGEST_PATTERN} characters: left out`;
        notes.differs(`${options.what}: ${option} ${index + 1}`, fact, options.get(option));
        return [];
      }
      if (!/<SKIPLINES>|(?<!\\)(?:\\\\)*\\n/.test(text)) return [convertPattern(text, how)];
      const fact = spans ? "spans several lines: left out" : "looks for a line end within a line: left out";
      notes.differs(`${options.what}: ${option} ${index + 1}`, fact, options.get(option));
      return [];
    });
  if (prefregex !== null && prefregex.length > LONGEST_PATTERN) {
    notes.differs(
      options.what,
      `prefregex is longer than ${LONGEST_PATTERN} characters`,
      options.get("prefregex"),
    );
    return { definition: null, lost: true };
  }
  const definition: FilterDefinition = {
    name: "imported",
    failregex: list("failregex", inner),
    ignoreregex: list("ignoreregex", dates),
    goodregex: [],
    ...(cut === null || cut === ANY_DATE ? {} : { define: { [OWN_DATE]: cut } }),
    ...(pattern === null ? {} : { datepattern: pattern }),
    ...(prefregex === null ? {} : { prefregex: convertPattern(prefregex, dates) }),
  };
  if (isWithin) sayWithin(options, notes);
  const written = linesOf(options.get("failregex")).length;
  const found = usable(definition, options, notes);
  return { definition: found, lost: found === null || found.failregex.length < written };
}

/** The filter's own tag for the date, where its datepattern says what a date looks like. */
const OWN_DATE = "date";

function datepatternOf({ what, get }: FilterOptions, notes: Notes): string | null {
  const written = get("datepattern");
  if (written === null || written.text.length <= LONGEST_PATTERN) return written?.text ?? null;
  notes.differs(what, `datepattern is longer than ${LONGEST_PATTERN} characters: left out`, written);
  return null;
}

/** The largest filter of fail2ban has some 40. */
const MOST_PATTERNS = 500;

function sayMany({ what, get }: FilterOptions, notes: Notes): void {
  for (const option of ["failregex", "ignoreregex"]) {
    const written = get(option);
    const count = written === null ? 0 : (written.text.match(/\S.*$/gm)?.length ?? 0);
    if (count > MOST_PATTERNS)
      notes.differs(
        what,
        `only the first ${MOST_PATTERNS} of ${count} ${option} lines were converted`,
        written,
      );
  }
}

/** Characters. Reading a pattern takes quadratic time at worst. */
const LONGEST_PATTERN = 16_384;

function linesOf(written: Written | null): readonly string[] {
  return (written?.text ?? "")
    .split("\n")
    .flatMap((line) => line.trim() || [])
    .slice(0, MOST_PATTERNS);
}

function nonEmpty(text: string | undefined): string | null {
  return text === undefined || text === "" ? null : text;
}

/** Notes maxlines; true when patterns may span lines. */
function sayMaxlines({ what, get }: FilterOptions, notes: Notes): boolean {
  const written = get("maxlines");
  const isMore = Number(written?.text.trim()) > 1;
  if (isMore)
    notes.differs(
      what,
      `maxlines is ${written?.text.trim()}, but Stoplog matches one line at a time`,
      written,
    );
  return isMore;
}

function sayWithin({ what, get }: FilterOptions, notes: Notes): void {
  const fact =
    "its datepattern removes a date from the middle of the line, and Stoplog's patterns see it: check them with 'stoplog test'";
  notes.differs(what, fact, get("datepattern"));
}

/** Removes the patterns that do not compile, with a note for each. */
function usable(definition: FilterDefinition, options: FilterOptions, notes: Notes): FilterDefinition | null {
  if (definition.failregex.length === 0) {
    notes.differs(options.what, "no usable failregex", options.get("failregex"));
    return null;
  }
  const errors = compileFilter(definition).problems.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return definition;
  for (const { list, index, fact } of errors) {
    if (fact.startsWith("</")) continue; // noted at its start tag
    const name = list === "failregex" || list === "ignoreregex" ? `${list} ${index + 1}` : list;
    notes.differs(`${options.what}: ${name}`, `${fact}: left out`, options.get(list));
  }
  const failing = (list: PatternList): Set<number> =>
    new Set(errors.flatMap((error) => (error.list === list ? [error.index] : [])));
  if (failing("prefregex").size > 0 || failing("define").size > 0) return null;
  const kept = (list: "failregex" | "ignoreregex"): string[] =>
    definition[list].filter((_, index) => !failing(list).has(index));
  const { datepattern, ...rest } = definition;
  const date = datepattern === undefined || failing("datepattern").size > 0 ? {} : { datepattern };
  return usable(
    { ...rest, ...date, failregex: kept("failregex"), ignoreregex: kept("ignoreregex") },
    options,
    notes,
  );
}
