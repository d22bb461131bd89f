import type { FilterDefinition } from "../../match/filter/filter.ts";
import { block, type Line, patternList, patternText, textBlock } from "../yaml-page.ts";
import { convertFilter } from "./convert-filter.ts";
import { convertPattern, UNDATED } from "./convert-pattern.ts";
import { FIRST_DATE } from "./date-shape.ts";
import type { OriginalPatterns } from "./trial/original.ts";
import { loadFilterFile } from "../../config/find-filter.ts";
import { withOurs } from "./with-ours.ts";
import { formatDuration } from "../../core/duration.ts";
import type { Disk } from "./disk.ts";
import type { Place, Written } from "../../core/ini.ts";
import { Notes } from "./notes.ts";
import { ourFilter, type Packaged, whyOwn } from "./our-filters.ts";
import { isFalse, type Jail, type JailFilter, tried } from "./read-jails.ts";

/** The filter of a jail as keys of its YAML. */
export interface FilterChoice {
  readonly lines: readonly Line[];
  /** The library's filter that replaces fail2ban's; null for a converted one. */
  readonly ours: string | null;
  readonly definition: FilterDefinition;
  /** What fail2ban matches. */
  readonly original: OriginalPatterns;
  /** Whether fail2ban may have found dates elsewhere than at the start of the lines. */
  readonly mayDateAnywhere: boolean;
}

export interface FilterContext {
  readonly packaged: Packaged;
  readonly disk: Disk;
  readonly notes: Notes;
  readonly isJournal: boolean;
}

/** The library's filter where fail2ban's was not changed, else the converted filter in place; null when it cannot be converted. */
export function filterLines(jail: Jail, context: FilterContext): FilterChoice | null {
  const { filter } = jail;
  if (filter !== null && readsBans(jail)) return ourLines(jail, filter, "recidive", context);
  const ours = filter === null ? null : ourFilter(filter.call.name, modeOf(filter));
  if (filter !== null && ours !== null) {
    const why = whyChanged(jail, filter, context);
    if (why === null) return ourLines(jail, filter, ours, context);
    const fact = `converted, because ${why}; Stoplog's own filter is ${ours}`;
    context.notes.differs(`${jail.name}: filter ${filter.call.name}`, fact, filterPlace(jail, filter.place));
  }
  return convertedLines(jail, context);
}

/** The converted filter, whatever Stoplog's library has; null when it cannot be converted. */
export function convertedLines(jail: Jail, context: FilterContext): FilterChoice | null {
  const { filter } = jail;
  const { isJournal, notes } = context;
  const what = `${jail.name}: filter ${filter?.call.name ?? "of its own"}`;
  const get = optionsOf(jail, context);
  const { definition, lost, mayDateAnywhere } = convertFilter({ what, get, isJournal }, notes);
  const ours = filter === null ? null : ourFilter(filter.call.name, modeOf(filter), { isAdded: true });
  const joined = ours !== null && lost ? withOurs(ours, definition) : null;
  if (joined !== null) {
    const fact = `Stoplog's filter ${ours} was added for the patterns that were left out`;
    notes.differs(what, fact, filter === null ? jail.place : filterPlace(jail, filter.place));
  }
  const chosen = joined ?? definition;
  if (chosen === null) return null;
  return {
    ours: null,
    definition: chosen,
    lines: [["filter", filterBlock(chosen)]],
    original: originalPatterns(jail, context),
    mayDateAnywhere,
  };
}

/** A converted filter whose times are read wherever the first date is. */
export function withFirstDate(choice: FilterChoice): FilterChoice {
  const definition = { ...choice.definition, datepattern: FIRST_DATE };
  return { ...choice, definition, lines: [["filter", filterBlock(definition)]], mayDateAnywhere: false };
}

/** The filter of a jail whose log tells nothing of where its dates are. */
export function untriedChoice(choice: FilterChoice): FilterChoice {
  return choice.mayDateAnywhere ? withFirstDate(choice) : choice;
}

/** Whether a jail reads the bans in fail2ban's own log, which is no longer written. */
function readsBans(jail: Jail): boolean {
  const logs = (jail.get("logpath")?.text ?? "").split("\n").map((line) => line.trim());
  return (
    jail.filter?.call.name === "recidive" ||
    (logs[0] !== "" && logs.every((path) => /\/fail2ban[^/]*\.log\S*$/.test(path)))
  );
}

function originalPatterns(jail: Jail, context: FilterContext): OriginalPatterns {
  const get = optionsOf(jail, { ...context, notes: new Notes() });
  const list = (option: string): readonly string[] =>
    (get(option)?.text ?? "")
      .split("\n")
      .flatMap((line) => line.trim() || [])
      .slice(0, MOST_PATTERNS);
  const text = (option: string): string | null => get(option)?.text.trim() || null;
  return {
    failregex: list("failregex"),
    ignoreregex: list("ignoreregex"),
    prefregex: text("prefregex"),
    datepattern: text("datepattern"),
    usesNames: !isFalse(jail.get("usedns")) && jail.get("usedns")?.text.trim() !== "raw",
    isJournal: context.isJournal,
  };
}

/** Patterns of one list that a trial runs. */
const MOST_PATTERNS = 500;

function modeOf({ call }: JailFilter): string {
  return call.options.get("mode") ?? "normal";
}

/** Options of the filter that a jail may override. */
const OVERRIDES = ["failregex", "prefregex", "datepattern", "maxlines"] as const;

function whyChanged(jail: Jail, filter: JailFilter, { packaged, disk }: FilterContext): string | null {
  const own = OVERRIDES.find((option) => jail.get(option) !== null);
  if (own !== undefined) return `the jail sets ${own}`;
  const ignored = jail.get("ignoreregex")?.text ?? "";
  if (/[\^]|\\\[\\\]/.test(ignored)) return "the jail sets ignoreregex";
  return whyOwn(filter, packaged, disk);
}

function ourLines(
  jail: Jail,
  { call, place }: JailFilter,
  ours: string,
  context: FilterContext,
): FilterChoice | null {
  const { definition } = loadFilterFile(ours);
  if (definition === null) return null;
  const mode = call.options.get("mode") ?? "normal";
  if (call.name !== ours || !["normal", "more"].includes(mode)) {
    const shown = mode === "normal" ? call.name : `${call.name}[mode=${mode}]`;
    context.notes.differs(
      `${jail.name}.filter`,
      `replaced by Stoplog's filter ${ours} (was ${shown})`,
      filterPlace(jail, place),
    );
  }
  const ignored = (jail.get("ignoreregex")?.text ?? "").split("\n").flatMap((line) => line.trim() || []);
  const ignoreregex = ignored.map((text) => convertPattern(text, UNDATED));
  const ignore: readonly Line[] = ignored.length === 0 ? [] : [["ignoreregex", patternList(ignoreregex)]];
  return {
    ours,
    definition: { ...definition, ignoreregex: [...definition.ignoreregex, ...ignoreregex] },
    lines: [["filter", ours], ...ignore],
    original: originalPatterns(jail, context),
    mayDateAnywhere: false,
  };
}

/** Where the jail names its filter, else where it begins. */
function filterPlace(jail: Jail, place: Place): Place {
  return jail.title("filter").startsWith("DEFAULT.") ? jail.place : place;
}

/** The jail's options, then its filter's. */
function optionsOf(jail: Jail, { notes }: FilterContext): (option: string) => Written | null {
  return (option) => {
    const own = jail.get(option);
    if (own !== null || jail.filter === null) return own;
    const { call, definition, place } = jail.filter;
    return tried(definition, option, (fact) =>
      notes.differs(`${jail.name}: filter ${call.name}: ${option}`, `${fact}: left out`, place),
    );
  };
}

function filterBlock({
  daemon,
  prefregex,
  datepattern,
  define,
  maxlines,
  session,
  ...lists
}: FilterDefinition) {
  const text = (key: string, value: string | undefined): readonly Line[] =>
    value === undefined ? [] : [[key, value.includes("\n") ? textBlock(value) : patternText(value)]];
  const list = (key: "failregex" | "ignoreregex" | "goodregex"): readonly Line[] =>
    lists[key].length === 0 ? [] : [[key, patternList(lists[key])]];
  const tags = Object.entries(define ?? {}).map(([tag, value]): Line => [tag, patternText(value)]);
  return block([
    ...text("daemon", daemon),
    ...text("datepattern", datepattern),
    ...(maxlines === undefined ? [] : [["maxlines", maxlines] as const]),
    ...(session === undefined ? [] : [["session", formatDuration(session)] as const]),
    ...(tags.length === 0 ? [] : [["define", block(tags)] as const]),
    ...text("prefregex", prefregex),
    ...list("failregex"),
    ...list("ignoreregex"),
    ...list("goodregex"),
  ]);
}
