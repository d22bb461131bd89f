import { FAIL2BAN_TAG } from "../../match/filter/tags/table.ts";

/**
 * Converts a pattern of fail2ban's. fail2ban removes the date from a line, adds a line feed and matches the rest; Stoplog matches
 * the line as it is. So the tag of the date is inserted where the line begins and between empty brackets. Text that is a tag in
 * Stoplog only is escaped.
 */
export function convertPattern(pattern: string, dates: Dates): string {
  const text = pattern.replace(END_OF_LINE, (_, before: string, many: string) => `${before}(?:\\s${many}|$)`);
  let converted = "";
  let places = dates.where === "within" ? MOST_PLACES : 0;
  for (let at = 0; at < text.length;) {
    STEP.lastIndex = at;
    const step = STEP.exec(text)?.[0] ?? text.charAt(at);
    at += step.length;
    converted += dated(step, dates) ?? plain(step);
    // The date stood between white space.
    if (places > 0 && /^(?: |\\s[+*?]?)$/.test(step) && places-- > 0) converted += `(?:<${dates.tag}>\\s*)?`;
  }
  return converted;
}

/** Every place makes the pattern larger, and dates stand early in a line. */
const MOST_PLACES = 8;

export interface Dates {
  /** Where fail2ban removed a date: nowhere, at the start of the line and between brackets, or at any white space as well. */
  readonly where: "nowhere" | "begin" | "within";
  /** `DATE`, or the filter's own tag. */
  readonly tag: string;
}

/** For a pattern from whose lines fail2ban removes no date. */
export const UNDATED: Dates = { where: "nowhere", tag: "" };

/** The last `\s` of a pattern may match the line feed that fail2ban adds. */
const END_OF_LINE = /^((?:[^\\]|\\.)*)\\s(\+?)$/s;

/** Empty brackets, white space with its quantifier, an escape, a class, the start of a named group, a tag, or one character. */
const STEP =
  /\\\[\\\]|\\s[+*?]?|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P?<(?:[=!]|\w+>)|<\/?[A-Za-z][\w-]*\/?>|[^]/sy;

/** The step with the date in it; undefined for a step where fail2ban removed none. */
function dated(step: string, { where, tag }: Dates): string | undefined {
  if (where === "nowhere") return undefined;
  if (step === "^") return `^<${tag}>?`;
  return step === EMPTY_BRACKETS ? String.raw`\[<${tag}>?\]` : undefined;
}

const EMPTY_BRACKETS = String.raw`\[\]`;

function plain(step: string): string {
  return /^<\/?[A-Za-z]/.test(step) && !FAIL2BAN_TAG.test(step) ? `\\${step}` : step;
}
