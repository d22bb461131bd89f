import { MOST_LINES } from "../../match/window/most-lines.ts";
import { compileFilter, type FilterDefinition, type PatternList } from "../../match/filter/filter.ts";
import { withoutConditions } from "./conditions.ts";
import {
  convertPattern,
  type Dates,
  IP6,
  spansLines,
  TAG_IP6,
  UNDATED,
  wholeLine,
} from "./convert-pattern.ts";
import { ANY_DATE, type DateShape, dateShape } from "./date-shape.ts";
import type { Written } from "../../core/ini.ts";
import type { Notes } from "./notes.ts";

/** A filter's options as a jail has them. */
export interface FilterOptions {
  /** For messages: `filter NAME`. */
  readonly what: string;
  readonly get: (option: string) => Written | null;
  /** Whether its lines come from the journal, where fail2ban knows their time. */
  readonly isJournal: boolean;
}

/** A converted filter. */
export interface Converted {
  /** Null when no pattern of it can be used. */
  readonly definition: FilterDefinition | null;
  /** Whether some of its failregex were left out. */
  readonly lost: boolean;
  /** Whether fail2ban may find dates elsewhere than at the start of the lines, and its time is read there only. */
  readonly mayDateAnywhere: boolean;
}

/** Converts a filter of fail2ban. Notes what it leaves out. */
export function convertFilter(options: FilterOptions, notes: Notes): Converted {
  const maxlines = maxlinesOf(options, notes);
  sayMany(options, notes);
  sayNetworks(options, notes);
  const shape = dateShape(options.isJournal ? null : datepatternOf(options, notes));
  const { cut, pattern } = shape;
  const dates = { ...datesOf(shape, options.isJournal), manyLines: maxlines > 1 };
  const prefregex = nonEmpty(options.get("prefregex")?.text.trim());
  // The content that prefregex hands over has no date before it.
  const inner = prefregex?.includes("<F-CONTENT>") === true ? UNDATED : dates;
  const convert = (text: string, how: Dates): string => convertPattern(withoutConditions(text), how);
  const list = (option: "failregex" | "ignoreregex", how: Dates): string[] =>
    linesOf(options.get(option)).flatMap((text, index) => {
      const fact =
        text.length > LONGEST_PATTERN
          ? `longer than ${LONGEST_PATTERN} characters: left out`
          : maxlines === 1 && spansLines(text)
            ? "looks for a line end within a line: left out"
            : null;
      if (fact === null) return [convert(text, how)];
      notes.differs(`${options.what}: ${option} ${index + 1}`, fact, options.get(option));
      return [];
    });
  if (prefregex !== null && prefregex.length > LONGEST_PATTERN) {
    notes.differs(
      options.what,
      `prefregex is longer than ${LONGEST_PATTERN} characters`,
      options.get("prefregex"),
    );
    return { definition: null, lost: true, mayDateAnywhere: false };
  }
  const definition: FilterDefinition = {
    name: "imported",
    failregex: list("failregex", inner),
    ignoreregex: list("ignoreregex", dates),
    goodregex: [],
    ...(pattern === null ? {} : { datepattern: pattern }),
    ...(maxlines === 1 ? {} : { maxlines }),
    ...(prefregex === null ? {} : { prefregex: wholeLine(convert(prefregex, dates)) }),
  };
  const defined = withTags(definition, cut);
  if (shape.where === "within") sayWithin(options, notes);
  const written = linesOf(options.get("failregex")).length;
  const found = usable(defined, options, notes);
  return {
    definition: found,
    lost: found === null || found.failregex.length < written,
    mayDateAnywhere:
      shape.where === "anywhere" && pattern === null && !options.isJournal && isOpen(definition),
  };
}

/** Whether lines may begin with other text than a date and what the patterns name. */
function isOpen({ prefregex, failregex }: FilterDefinition): boolean {
  const heads = prefregex === undefined ? failregex : [prefregex];
  return heads.some((text) => /^(?:\(\?\w+\))?(?:[^^(]|\^\.[*+])/.test(text) || /[^^[]<DATE>/.test(text));
}

function datesOf({ cut, where }: DateShape, isJournal: boolean): Dates {
  if (isJournal) return { where: "begin", tag: "DATE", withSpace: true };
  return cut === null ? UNDATED : { where, tag: cut === ANY_DATE ? "DATE" : OWN_DATE };
}

/** Defines the tags that its patterns use. */
function withTags(definition: FilterDefinition, date: string | null): FilterDefinition {
  const { failregex, ignoreregex, prefregex = "" } = definition;
  const text = [...failregex, ...ignoreregex, prefregex].join("\n");
  const define = {
    ...(date !== null && text.includes(`<${OWN_DATE}>`) ? { [OWN_DATE]: date } : {}),
    ...(text.includes(`<${TAG_IP6}>`) ? { [TAG_IP6]: IP6 } : {}),
  };
  return Object.keys(define).length === 0 ? definition : { ...definition, define };
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

/** How many lines the patterns see; 1 where none of them looks for a line end. */
function maxlinesOf({ what, get }: FilterOptions, notes: Notes): number {
  const written = get("maxlines");
  const most = Math.floor(Number(written?.text.trim() ?? 1));
  const lists = ["failregex", "ignoreregex", "prefregex"].flatMap((option) => linesOf(get(option)));
  if (!(most > 1) || !lists.some((text) => spansLines(text))) return 1;
  if (most > MOST_LINES) notes.differs(what, `maxlines is ${most}: using ${MOST_LINES}`, written);
  return Math.min(most, MOST_LINES);
}

/** `<SUBNET>` and `<ADDR>/<CIDR>` name a network, which fail2ban bans as a whole. */
function sayNetworks({ what, get }: FilterOptions, notes: Notes): void {
  const written = get("failregex");
  const tag = /<(?:F-)?(?:SUBNET|CIDR)\/?>/.exec(written?.text ?? "")?.[0];
  if (tag !== undefined)
    notes.differs(what, `${tag}: only the address is banned, where fail2ban bans its network`, written);
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
