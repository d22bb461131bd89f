import type { FilterDefinition } from "../../match/filter.ts";
import { block, type Line, patternList, patternText } from "../yaml-page.ts";
import { convertFilter } from "./convert-filter.ts";
import { convertPattern } from "./convert-pattern.ts";
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
  const definition = convertFilter(
    { what: `${jail.name}: filter ${filter?.call.name ?? "of its own"}`, get: optionsOf(jail, context) },
    context.notes,
  );
  return definition === null ? null : { ours: null, lines: [["filter", filterBlock(definition)]] };
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
      : [["ignoreregex", patternList(ignored.map((text) => convertPattern(text, { dated: false })))]];
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

function filterBlock({ prefregex, datepattern, define, failregex, ignoreregex }: FilterDefinition) {
  return block([
    ...(datepattern === undefined ? [] : [["datepattern", patternText(datepattern)] as const]),
    ...(define === undefined
      ? []
      : [
          [
            "define",
            block(Object.entries(define).map(([tag, text]) => [tag, patternText(text)] as const)),
          ] as const,
        ]),
    ...(prefregex === undefined ? [] : [["prefregex", patternText(prefregex)] as const]),
    ["failregex", patternList(failregex)],
    ...(ignoreregex.length === 0 ? [] : [["ignoreregex", patternList(ignoreregex)] as const]),
  ]);
}
