/**
 * A pattern of fail2ban's as ours. fail2ban cuts the date out of a line and looks at what remains, with a line feed at its end; ours see
 * the line as it stands. So `<date>` may stand where a line begins, and between brackets that would be empty. What is a tag for us and
 * was text for fail2ban stays text.
 */
export function convertPattern(pattern: string, { dated }: { readonly dated: Dated }): string {
  const text = pattern.replace(END_OF_LINE, (_, before: string, many: string) => `${before}(?:\\s${many}|$)`);
  let converted = "";
  let places = dated === "within" ? MOST_PLACES : 0;
  for (let at = 0; at < text.length;) {
    STEP.lastIndex = at;
    const step = STEP.exec(text)?.[0] ?? text.charAt(at);
    at += step.length;
    converted += dated === "no" ? plain(step) : (DATED.get(step) ?? plain(step));
    // What stood on both sides of the date was white space.
    if (places > 0 && /^(?: |\\s[+*?]?)$/.test(step) && places-- > 0) converted += `(?:<${DATE_TAG}>\\s*)?`;
  }
  return converted;
}

/** Each makes the pattern larger, and dates stand early in a line. */
const MOST_PLACES = 8;

/** Where fail2ban cut a date out: nowhere, where the line begins or between brackets, or at any white space as well. */
export type Dated = "no" | "begin" | "within";

/** What stands for a date in patterns. */
export const DATE_TAG = "date";

/** A pattern's last `\s` may be the line feed. */
const END_OF_LINE = /^((?:[^\\]|\\.)*)\\s(\+?)$/s;

/** Empty brackets, an escape, a class, the beginning of a named group, a tag, or a single character; white space with how often. */
const STEP =
  /\\\[\\\]|\\s[+*?]?|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P?<(?:[=!]|\w+>)|<\/?[A-Za-z][\w-]*\/?>|[^]/sy;

const DATED: ReadonlyMap<string, string> = new Map([
  ["^", `^<${DATE_TAG}>?`],
  [String.raw`\[\]`, String.raw`\[<${DATE_TAG}>?\]`],
]);

/** fail2ban's own tags; whatever else looks like one is text. */
const TAG =
  /^<(?:HOST|ADDR|IP4|IP6|DNS|CIDR|SUBNET|\/?F-[A-Z0-9_-]+|F-(?:IP4|IP6|ADDR|CIDR|SUBNET|DNS|ID|PORT)\/)>$/;

function plain(step: string): string {
  return /^<\/?[A-Za-z]/.test(step) && !TAG.test(step) ? `\\${step}` : step;
}
