import { FAIL2BAN_TAG } from "../../match/filter/tags/table.ts";

/**
 * Converts a pattern of fail2ban's. fail2ban removes the date from a line, adds a line feed and matches the rest; Stoplog matches
 * the line as it is. So the tag of the date is inserted where fail2ban may have removed one. Text that is a tag in Stoplog only is
 * escaped. `hosts` replaces the tags of addresses.
 */
export function convertPattern(pattern: string, dates: Dates, hosts: HostTags = STANDARD_HOSTS): string {
  const text = dates.manyLines === true ? withEnd(pattern) : endOfLine(pattern);
  const anywhere = dates.where === "anywhere" || dates.where === "within";
  let places = placesOf(text, dates);
  let converted = "";
  for (let at = 0; at < text.length;) {
    STEP.lastIndex = at;
    const step = STEP.exec(text)?.[0] ?? text.charAt(at);
    at += step.length;
    const rest = text.slice(at, at + LONGEST_NEXT);
    converted += dated(step, rest, dates) ?? hosts(step, rest) ?? plain(step);
    // The date stood between white space.
    if (places > 0 && /^(?: |\\s[+*?]?)$/.test(step) && places-- > 0) converted += `(?:<${dates.tag}>\\s*)?`;
    if (anywhere && isValueMissing(step, rest)) converted += `<${dates.tag}>?`;
  }
  return /\\[wW]/.test(text) ? `(?u)${converted}` : converted;
}

export interface Dates {
  /**
   * Where fail2ban removed a date: nowhere; at the start of the line and between brackets or quotes; there or in place of any value;
   * or at any white space as well.
   */
  readonly where: "nowhere" | "begin" | "anywhere" | "within";
  /** `DATE`, or the filter's own tag. */
  readonly tag: string;
  /** Whether fail2ban removes the space behind the date at the start, too: it does for the journal. */
  readonly withSpace?: boolean;
  /** Whether the pattern sees several lines; a date may have been removed from each. */
  readonly manyLines?: boolean;
}

/** For a pattern from whose lines fail2ban removes no date. */
export const UNDATED: Dates = { where: "nowhere", tag: "" };

/** What replaces a tag of an address; undefined to leave it. `rest` is what comes next in the pattern. */
export type HostTags = (step: string, rest: string) => string | undefined;

/** Characters of the pattern behind a step that decide about it. */
const LONGEST_NEXT = 64;

const STANDARD_HOSTS: HostTags = (step, rest) =>
  /^<(?:F-)?(?:HOST|ADDR)\/?>$/.test(step) && MAY_BE_PORT.test(rest) ? `(?:<${TAG_IP6}>|${step})` : undefined;

/** An optional port behind an address, which an IPv6 address without brackets would take as its last part. */
const MAY_BE_PORT = /^(?:\\\]\??|\]\?)?(?:\((?:\?:|\?P?<\w+>)?(?:<F-\w+>)?:[^()]*\)(?:[?*]|\{0?,)|\\?:[?*])/;

/** The tag that the converted filter defines as IP6. */
export const TAG_IP6 = "ip6";

/** An IPv6 address as fail2ban reads it: parts of four digits at most, so that a port of five is not one. */
export const IP6 = String.raw`\[?(?P<ip6>(?:[0-9a-fA-F]{1,4}::?|::){1,7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){0,6}(?:[0-9a-fA-F]{1,4})?::)\]?`;

/** The line feed that fail2ban adds may match the `\s` or `\n` at the end of a pattern; elsewhere, an optional `\n` matches nothing. */
function endOfLine(pattern: string): string {
  return withEnd(pattern.replace(OPTIONAL_BREAK, (step) => (/^\\n[?*]$/.test(step) ? "" : step)));
}

function withEnd(pattern: string): string {
  return pattern
    .replace(BREAK_AT_END, "$1$$")
    .replace(SPACE_AT_END, (_, before: string, many: string) => `${before}(?:\\s${many}|$)`);
}

const OPTIONAL_BREAK = /\\n[?*]|\\[^]|\[\^?\]?(?:\\[^]|[^\]\\])*\]/g;
const BREAK_AT_END = /^((?:[^\\]|\\.)*?)\\n\+?\$?$/s;
const SPACE_AT_END = /^((?:[^\\]|\\.)*)\\s(\+?)$/s;

/** Whether a pattern can only match across a line end: `\n` outside of a class, and not at the end of the pattern. */
export function spansLines(pattern: string): boolean {
  const steps = endOfLine(pattern).match(ESCAPES_AND_CLASSES) ?? [];
  return pattern.includes("<SKIPLINES>") || steps.some((step) => /^(?:\\n|\[(?:\\n)+\])$/.test(step));
}

const ESCAPES_AND_CLASSES = /\\[^]|\[\^?\]?(?:\\[^]|[^\]\\])*\]/g;

/** Without `<F-CONTENT>`, fail2ban's prefregex only tests the line, and failregex sees all of it. */
export function wholeLine(prefregex: string): string {
  if (/<F-CONTENT\/?>/.test(prefregex)) return prefregex;
  const [, flags = "", rest = ""] = /^((?:\(\?\w+\))?)(.*)$/s.exec(prefregex) ?? [];
  const hasAlternatives = /\|/.test(rest);
  const inner = hasAlternatives ? `(?:${rest})` : rest;
  return `${flags}${rest.startsWith("^") ? "" : "^.*?"}${inner}${/(?<!\\)\$$/.test(rest) ? "" : ".*$"}`;
}

/** How many places of white space may have had a date. Each makes the pattern larger, and dates stand early in a line. */
function placesOf(text: string, { where }: Dates): number {
  if (where === "within") return 8;
  // Behind a date at the start of the line comes white space or a bracket, so here the date is further right.
  return where === "anywhere" &&
    /^(?:\(\?\w+\))?\^(?:[\w"{<]|\\[["{<(]|\(\?:\\\[)/.test(text) &&
    !/^\^?\\\[\\\]/.test(text)
    ? 2
    : 0;
}

/** Empty brackets or quotes, white space with its quantifier, an escape, a class, the start of a named group, a tag, or one character. */
const STEP =
  /\\\[\\\]|\\\(\\\)|\\?"\\?"(?!\?)|\\?'\\?'(?!\?)|\\?<\\?>|\\s[+*?]?|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P?<(?:[=!]|\w+>)|<\/?[A-Za-z][\w-]*\/?>|[^]/sy;

/** The step with the date in it; undefined for a step where fail2ban removed none. */
function dated(step: string, rest: string, { where, tag, withSpace, manyLines }: Dates): string | undefined {
  if (manyLines === true && where !== "nowhere" && (step === "\\n" || step === "<SKIPLINES>"))
    return /^(?:\^|\.\*)/.test(rest) ? undefined : `${step}<${tag}>?`;
  if (where === "nowhere" || (step === "^" && rest.startsWith(".*"))) return undefined;
  if (step === "^") return withSpace === true ? `^(?:<${tag}> )?` : `^<${tag}>?`;
  const [, open, close] = EMPTY.exec(step) ?? [];
  return open === undefined || close === undefined ? undefined : `${open}<${tag}>?${close}`;
}

const EMPTY = /^(\\\[|\\\(|\\?["'<])(\\\]|\\\)|\\?["'>])$/;

/** `time= level`, `"ts":,`, `{,"ip":…`, `audit(:42)`: a value was removed. */
function isValueMissing(step: string, rest: string): boolean {
  if (step === "\\(") return rest.startsWith(":\\d");
  if (/^\\?[{,[]$/.test(step)) return rest.startsWith(",");
  if (step === "=" || step === "\\=") return /^(?: |\\s(?![*?])|[,;&])/.test(rest);
  return (step === ":" || step === "\\:") && /^\\?[,}]/.test(rest);
}

function plain(step: string): string {
  return /^<\/?[A-Za-z]/.test(step) && !FAIL2BAN_TAG.test(step) ? `\\${step}` : step;
}
