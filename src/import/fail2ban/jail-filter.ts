import type { FilterDefinition } from "../../match/filter/filter.ts";
import { block, type Line, patternList, patternText } from "../yaml-page.ts";
import { convertFilter } from "./convert-filter.ts";
import { convertPattern, UNDATED } from "./convert-pattern.ts";
import { withOurs } from "./with-ours.ts";
import type { Disk } from "./disk.ts";
import type { Place, Written } from "./ini.ts";
import type { Notes } from "./notes.ts";
import { ourFilter, type Packaged, whyOwn } from "./our-filters.ts";
import { type Jail, type JailFilter, tried } from "./read-jails.ts";

/** What a jail looks for, in lines of its own. */
export interface FilterChoice {
  readonly lines: readonly Line[];
  /** The filter of ours that stands for the package's; null for one that was converted. */
  readonly ours: string | null;
}

export interface FilterContext {
  readonly packaged: Packaged;
  readonly disk: Disk;
  readonly notes: Notes;
}

/** The filter of ours of that name where the package's was not changed, or else the user's own in place; null when it cannot be had. */
export function filterLines(jail: Jail, context: FilterContext): FilterChoice | null {
  const { filter } = jail;
  const ours = filter === null ? null : ourFilter(filter.call.name, modeOf(filter));
  if (filter !== null && ours !== null) {
    const why = whyChanged(jail, filter, context);
    if (why === null) return ourLines(jail, filter, ours, context.notes);
    const fact = `it is converted as it stands, since ${why}; Stoplog's own is ${ours}`;
    context.notes.differs(`${jail.name}: filter ${filter.call.name}`, fact, filterPlace(jail, filter.place));
  }
  const what = `${jail.name}: filter ${filter?.call.name ?? "of its own"}`;
  const { definition, lost } = convertFilter({ what, get: optionsOf(jail, context) }, context.notes);
  const joined = ours !== null && lost ? withOurs(ours, definition) : null;
  if (joined !== null) {
    const fact = `the patterns of Stoplog's own filter ${ours} stand beside it for those that were left out`;
    context.notes.differs(what, fact, filter === null ? jail.place : filterPlace(jail, filter.place));
  }
  const chosen = joined ?? definition;
  return chosen === null ? null : { ours: null, lines: [["filter", filterBlock(chosen)]] };
}

function modeOf({ call }: JailFilter): string {
  return call.options.get("mode") ?? "normal";
}

/** Options that a jail may say in its filter's place. */
const OVERRIDES = ["failregex", "prefregex", "datepattern", "maxlines"] as const;

function whyChanged(jail: Jail, filter: JailFilter, { packaged, disk }: FilterContext): string | null {
  const own = OVERRIDES.find((option) => jail.get(option) !== null);
  if (own !== undefined) return `the jail has a ${own} of its own`;
  const ignored = jail.get("ignoreregex")?.text ?? "";
  if (/[\^]|\\\[\\\]/.test(ignored)) return "the jail has an ignoreregex of its own";
  return whyOwn(filter, packaged, disk);
}

function ourLines(jail: Jail, { call, place }: JailFilter, ours: string, notes: Notes): FilterChoice {
  const mode = call.options.get("mode") ?? "normal";
  if (call.name !== ours || !["normal", "more"].includes(mode)) {
    const shown = mode === "normal" ? call.name : `${call.name}[mode=${mode}]`;
    notes.differs(
      `${jail.name}.filter`,
      `Stoplog's filter ${ours} stands for ${shown}`,
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

/** Where the jail names its filter, or begins. */
function filterPlace(jail: Jail, place: Place): Place {
  return jail.title("filter").startsWith("DEFAULT.") ? jail.place : place;
}

/** A jail's options before its filter's. */
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
