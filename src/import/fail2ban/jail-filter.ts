import type { FilterDefinition } from "../../match/filter/filter.ts";
import { block, type Line, patternList, patternText } from "../yaml-page.ts";
import { convertFilter } from "./convert-filter.ts";
import { convertPattern, UNDATED } from "./convert-pattern.ts";
import { withOurs } from "./with-ours.ts";
import type { Disk } from "./disk.ts";
import type { Place, Written } from "../../core/ini.ts";
import type { Notes } from "./notes.ts";
import { ourFilter, type Packaged, whyOwn } from "./our-filters.ts";
import { type Jail, type JailFilter, tried } from "./read-jails.ts";

/** The filter of a jail as keys of its YAML. */
export interface FilterChoice {
  readonly lines: readonly Line[];
  /** The library's filter that replaces fail2ban's; null for a converted one. */
  readonly ours: string | null;
}

export interface FilterContext {
  readonly packaged: Packaged;
  readonly disk: Disk;
  readonly notes: Notes;
}

/** The library's filter where fail2ban's was not changed, else the converted filter in place; null when it cannot be converted. */
export function filterLines(jail: Jail, context: FilterContext): FilterChoice | null {
  const { filter } = jail;
  const ours = filter === null ? null : ourFilter(filter.call.name, modeOf(filter));
  if (filter !== null && ours !== null) {
    const why = whyChanged(jail, filter, context);
    if (why === null) return ourLines(jail, filter, ours, context.notes);
    const fact = `converted, because ${why}; Stoplog's own filter is ${ours}`;
    context.notes.differs(`${jail.name}: filter ${filter.call.name}`, fact, filterPlace(jail, filter.place));
  }
  const what = `${jail.name}: filter ${filter?.call.name ?? "of its own"}`;
  const { definition, lost } = convertFilter({ what, get: optionsOf(jail, context) }, context.notes);
  const joined = ours !== null && lost ? withOurs(ours, definition) : null;
  if (joined !== null) {
    const fact = `Stoplog's filter ${ours} was added for the patterns that were left out`;
    context.notes.differs(what, fact, filter === null ? jail.place : filterPlace(jail, filter.place));
  }
  const chosen = joined ?? definition;
  return chosen === null ? null : { ours: null, lines: [["filter", filterBlock(chosen)]] };
}

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

function ourLines(jail: Jail, { call, place }: JailFilter, ours: string, notes: Notes): FilterChoice {
  const mode = call.options.get("mode") ?? "normal";
  if (call.name !== ours || !["normal", "more"].includes(mode)) {
    const shown = mode === "normal" ? call.name : `${call.name}[mode=${mode}]`;
    notes.differs(
      `${jail.name}.filter`,
      `replaced by Stoplog's filter ${ours} (was ${shown})`,
      filterPlace(jail, place),
    );
  }
  const ignored = (jail.get("ignoreregex")?.text ?? "").split("\n").flatMap((line) => line.trim() || []);
  const ignore: readonly Line[] =
    ignored.length === 0
      ? []
      : [["ignoreregex", patternList(ignored.map((text) => convertPattern(text, UNDATED)))]];
  return { ours, lines: [["filter", ours], ...ignore] };
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

function filterBlock({ daemon, prefregex, datepattern, define, ...lists }: FilterDefinition) {
  const text = (key: string, value: string | undefined): readonly Line[] =>
    value === undefined ? [] : [[key, patternText(value)]];
  const list = (key: "failregex" | "ignoreregex" | "goodregex"): readonly Line[] =>
    lists[key].length === 0 ? [] : [[key, patternList(lists[key])]];
  const tags = Object.entries(define ?? {}).map(([tag, value]): Line => [tag, patternText(value)]);
  return block([
    ...text("daemon", daemon),
    ...text("datepattern", datepattern),
    ...(tags.length === 0 ? [] : [["define", block(tags)] as const]),
    ...text("prefregex", prefregex),
    ...list("failregex"),
    ...list("ignoreregex"),
    ...list("goodregex"),
  ]);
}
