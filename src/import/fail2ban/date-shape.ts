import { tokenRegex } from "../../match/time/date-tokens.ts";
import { convertPattern, UNDATED } from "./convert-pattern.ts";

/** What a filter's datepattern becomes. */
export interface DateShape {
  /**
   * What fail2ban removes from a line before the patterns see it: `<DATE>`, or a pattern with tags of Stoplog's; null when it
   * removes nothing.
   */
  readonly cut: string | null;
  /** Stoplog's datepattern; null where the time is found without one. */
  readonly pattern: string | null;
  /** Where the date is: at the start of a line, anywhere, or behind other text that the datepattern names. */
  readonly where: "begin" | "anywhere" | "within";
}

/** A date in any shape. */
export const ANY_DATE = "<DATE>";

/** A datepattern that reads the time at the start of a line, or else the first date in it. */
export const FIRST_DATE = `{DATE}\n\\b{DATE}`;

/** Reads fail2ban's `datepattern`, a template on each line; null for none. */
export function dateShape(datepattern: string | null): DateShape {
  const lines = (datepattern ?? "").split("\n").flatMap((line) => line.trim() || []);
  // An empty group says that such a line has no date. Its failure then has that of another line.
  const dated = lines.filter((line) => !/\(\)(?:\*\*)?$/.test(line));
  const templates = (dated.length === 0 ? lines : dated).map(templateOf);
  if (templates.length > 0 && templates.every(({ cut }) => cut === null))
    return { cut: null, pattern: "{NONE}", where: "begin" };
  const cuts = new Set(templates.flatMap(({ cut }) => cut ?? []));
  if (cuts.size === 0) cuts.add(ANY_DATE);
  const own = templates.flatMap(({ pattern }) => pattern ?? []);
  const places = new Set(templates.map(({ where }) => where));
  return {
    cut: [...cuts].join("|"),
    pattern:
      own.length === 0 ? null : [...own, ...(own.length < templates.length ? ["{DATE}"] : [])].join("\n"),
    where: places.has("within")
      ? "within"
      : places.has("anywhere") || templates.length === 0
        ? "anywhere"
        : "begin",
  };
}

interface Template {
  readonly cut: string | null;
  readonly pattern: string | null;
  readonly where: DateShape["where"];
}

function templateOf(line: string): Template {
  if (line === "{NONE}" || line === "^()" || line === "()")
    return { cut: null, pattern: null, where: "begin" };
  const text = withSeparators(line).replace(
    /\{(L?)EPOCH\}|\b(L?)EPOCH\b/gi,
    (_, long = "", bare = "") => `${String(long || bare).toUpperCase()}Epoch`,
  );
  const bare = text.replace(/^\{UNB\}/, "").replace(/\*\*/g, "");
  const atStart = /^(?:\^|\{\^LN-BEG\})/.exec(bare)?.[0] ?? "";
  const rest = bare.slice(atStart.length);
  // With {EPOCH}, fail2ban removes all that the template matches.
  const { before, group } = /\{L?EPOCH\}/i.test(line) ? { before: "", group: rest } : cutGroup(rest);
  const where = before !== "" ? "within" : atStart === "" ? "anywhere" : "begin";
  if (group === "" || group === "{DEFAULT}" || group === "{DATE}")
    return { cut: ANY_DATE, pattern: before === "" ? null : patternOf(atStart, rest, before), where };
  return {
    cut: regexOf(group),
    pattern: /\{DEFAULT\}/.test(rest) ? null : patternOf(atStart, rest, before),
    where,
  };
}

/** The datepattern that reads the time; the text before the date stays in it. */
function patternOf(atStart: string, rest: string, before: string): string {
  return atStart + before + withoutFlags(rest.slice(before.length));
}

/** `(?P<_sep>[-/.])` and what repeats it: both are any of them. */
function withSeparators(text: string): string {
  const groups = new Map<string, string>();
  return text
    .replace(/\(\?P<(_\w+)>(\[[^\]]+\])\)/g, (_, name: string, inner: string) => {
      groups.set(name, inner);
      return inner;
    })
    .replace(/\(\?P=(\w+)\)/g, (whole, name: string) => groups.get(name) ?? whole);
}

/** The first group is what is cut out, or else the whole. */
function cutGroup(text: string): { before: string; group: string } {
  const open = /(?<!\\)\((?!\?)/.exec(text)?.index;
  if (open === undefined) return { before: "", group: text };
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === "(") depth++;
    else if (text[i] === ")" && --depth === 0)
      return { before: text.slice(0, open), group: text.slice(open + 1, i) };
  }
  return { before: "", group: text };
}

function withoutFlags(text: string): string {
  return text.replace(/^\(\?[a-z]+\)/, "");
}

/** A template as a pattern: the tokens replaced by what they match. */
export function regexOf(text: string): string {
  return convertPattern(withoutFlags(text).replace(/\$$/, ""), UNDATED)
    .replace(/\{(?:DATE|DEFAULT)\}/g, ANY_DATE)
    .replace(/\bTAI64N\b/g, () => tokenRegex("TAI64N") ?? "")
    .replace(/\bL?Epoch\b/g, () => EPOCH)
    .replace(/%(?:Ex)?([A-Za-z%])/g, (whole, letter: string) => tokenRegex(letter) ?? whole);
}

/** Seconds or milliseconds since 1970. */
const EPOCH = String.raw`\d{10,13}(?:\.\d+)?`;
