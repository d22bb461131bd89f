import type { Written } from "../../core/ini.ts";
import type { Settings } from "./read-files.ts";

/** Why a value cannot be expanded. */
export class ValueError extends Error {}

/** Options passed from outside, which override those of the section. */
export type Given = ReadonlyMap<string, string>;

/**
 * An option of a section with `%(name)s`, `%(section/name)s`, `%(known/name)s` and `%(__name__)s` expanded; null when it is not set.
 * Throws a ValueError when it cannot be expanded.
 */
export function valueOf(
  settings: Settings,
  section: string,
  option: string,
  given: Given = new Map(),
): Written | null {
  const raw = rawOf(settings, section, option, given);
  return raw === null ? null : { ...raw, text: fill(raw.text, { settings, section, given }, 0) };
}

/** Characters of an expanded value. */
export const LONGEST_VALUE = 1 << 18;

const DEEPEST = 10;
const NOWHERE = { file: "", line: 0 };

interface Context {
  readonly settings: Settings;
  readonly section: string;
  readonly given: Given;
}

function rawOf(
  { defaults, sections }: Settings,
  section: string,
  option: string,
  given: Given,
): Written | null {
  const outside = given.get(option);
  if (outside !== undefined) {
    const at = sections.get(section)?.get(option) ?? NOWHERE;
    return { ...at, text: outside };
  }
  return sections.get(section)?.get(option) ?? defaults.get(option) ?? null;
}

function fill(text: string, context: Context, depth: number): string {
  if (depth > DEEPEST) throw new ValueError("its %(…)s references are circular");
  let filled = "";
  let at = 0;
  for (;;) {
    const next = text.indexOf("%", at);
    if (next < 0) return bounded(filled + text.slice(at));
    filled = bounded(filled + text.slice(at, next));
    if (text.startsWith("%%", next)) {
      filled += "%";
      at = next + 2;
      continue;
    }
    const name = /^%\(([^)\n]+)\)s/.exec(text.slice(next, next + 200));
    if (name === null) throw new ValueError("contains a single %, which must be %% or %(…)s");
    filled += referred(name[1] ?? "", context, depth);
    at = next + name[0].length;
  }
}

function referred(name: string, context: Context, depth: number): string {
  const { settings, section, given } = context;
  const [, where = "", other = ""] = /^([\w-]+)\/(.+)$/s.exec(name) ?? [];
  if (name === "__name__") return section;
  const own = rawOf(settings, section, name.toLowerCase(), given);
  if (own !== null) return fill(own.text, context, depth + 1);
  if (where === "") throw new ValueError(`%(${name})s is not defined`);
  const option = other.toLowerCase();
  const holder =
    where.toLowerCase() === "known"
      ? settings.known.get(section)
      : where.toLowerCase() === "default"
        ? undefined
        : settings.sections.get(where);
  const found = holder?.get(option) ?? settings.defaults.get(option);
  if (found === undefined) throw new ValueError(`%(${name})s is not defined`);
  return fill(found.text, context, depth + 1);
}

function bounded(text: string): string {
  if (text.length > LONGEST_VALUE) throw new ValueError("too long after expansion");
  return text;
}
