import { LIMITS } from "../../core/limits.ts";
import type { Instant } from "../../core/time.ts";
import { DAY, MINUTE } from "../../core/time.ts";
import { BoundedSearch } from "../run/dfa/bounded-search.ts";
import { compilePrograms } from "../run/dfa/compile-program.ts";
import { DfaMemory } from "../run/dfa/dfa-memory.ts";
import type { Match } from "../run/dfa/walk.ts";
import { PatternError } from "../filter/escape.ts";
import { isLinear } from "../run/cost-class.ts";
import { type Translation, translate } from "../filter/translate.ts";
import { ANY_DATE } from "./any-date.ts";
import { instantOf, newDateFields } from "./civil-time.ts";
import { DATE_TOKENS, type DateParts, type DateToken, SHORT_TOKENS } from "./date-tokens.ts";
import { readTimestamp } from "./read-timestamp.ts";
import type { TimeZone } from "./time-zone.ts";

/** Reads the time of a line by a filter's `datepattern`. */
export interface DatePattern {
  read(line: string, now: Instant, zone: TimeZone): Instant | null;
}

/**
 * Compiles a datepattern: strptime's tokens and a few of fail2ban's words in a regular expression. `{DATE}` alone reads the time where
 * readTimestamp does; `{DATE}` with other text is a date in any shape, as in `time="{DATE}"`; `\b{DATE}` is the first one in the line. Several lines are several patterns, and
 * the first that finds a date counts. The leftmost match in the whole line counts; `^` or `{^LN-BEG}` at the start of the pattern
 * excludes dates that an attacker writes further right.
 */
export function compileDatePattern(text: string): { pattern: DatePattern | null; fact: string | null } {
  try {
    const readers = text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "")
      .map(compileOne);
    if (readers.length === 0) throw new PatternError("is empty");
    return { pattern: { read: (line, now, zone) => firstOf(readers, line, now, zone) }, fact: null };
  } catch (thrown) {
    if (!(thrown instanceof PatternError || thrown instanceof SyntaxError)) throw thrown;
    return { pattern: null, fact: thrown.message };
  }
}

type Reader = DatePattern["read"];

function firstOf(readers: readonly Reader[], line: string, now: Instant, zone: TimeZone): Instant | null {
  for (const read of readers) {
    const instant = read(line, now, zone);
    if (instant !== null) return instant;
  }
  return null;
}

function compileOne(text: string): Reader {
  if (text === "{NONE}" || text === "^()") return () => null;
  if (/^\{(?:DEFAULT|DATE)\}$/.test(text)) return readTimestamp;
  const fields = fieldsOf(translate(expandTokens(text)));
  if (fields.length === 0 && !text.includes(WITHIN))
    throw new PatternError("has no date token such as %Y or Epoch");
  if (new Set(fields).size < fields.length) throw new PatternError("has the same token twice");
  const { source, groups } = translate(expandTokens(text.replaceAll(WITHIN, ANY_OF_THEM)));
  if (!isLinear(source)) throw new PatternError("has lookaround or counts above 16: cost cannot be bounded");
  const search = boundedSearch(source);
  const setters = groups.map((group) => SETTERS[group]);
  const instantIn = groups.some((group) => OF_A_DATE.has(group)) ? instantOfParts : lastTimeOfDay;
  return (line, now, zone) => {
    const match = search(line);
    if (match === null) return null;
    const parts: DateParts = { ...newDateFields(), epoch: null, afternoon: null, yearDay: 0 };
    for (let i = 0; i < setters.length; i++) {
      const value = match[i + 1];
      if (value !== undefined) setters[i]?.(parts, value);
    }
    return instantIn(parts, now, zone);
  };
}

/** A date in any shape, with other text around it. */
const WITHIN = "{DATE}";
const ANY_OF_THEM = `(?:${ANY_DATE.join("|")})`;

function fieldsOf({ groups }: Translation): readonly string[] {
  return groups.filter((group) => group.startsWith(GROUP_PREFIX));
}

/** Uses V8 on ordinary lines and the automaton on long ones; no date when its work is used up. */
function boundedSearch(source: string): (line: string) => Match | null {
  const regex = new RegExp(source);
  const programs = compilePrograms(source);
  if (programs === null) throw new PatternError("is too large: cost cannot be bounded");
  const search = new BoundedSearch(programs, new DfaMemory(() => undefined));
  return (line) =>
    line.length <= ORDINARY_LINE
      ? regex.exec(line)
      : (search.exec(line, { left: LIMITS.lineWork.value / 4 }) ?? null);
}

/** Bytes. */
const ORDINARY_LINE = 256;

const WORDS: Readonly<Record<string, string>> = {
  "{^LN-BEG}": String.raw`^(?:<\d{1,3}>)?\W?\W?`,
  "{UNB}": "",
  "**": "",
};

const GROUP_PREFIX = "date_";

const SETTERS: Readonly<Record<string, DateToken["set"]>> = Object.fromEntries(
  Object.entries(DATE_TOKENS).map(([letter, token]) => [groupOf(letter), token.set]),
);

/** Groups of a date. A pattern without any of them reads a time of day. */
const OF_A_DATE: ReadonlySet<string> = new Set(
  ["Y", "y", "m", "d", "b", "B", "j", "s", "LEpoch", "TAI64N"].map(groupOf),
);

/** The translator lower-cases the names of groups; tokens are case-sensitive. */
function groupOf(letter: string): string {
  return GROUP_PREFIX + (letter === letter.toLowerCase() ? letter : `upper_${letter.toLowerCase()}`);
}

function expandTokens(text: string): string {
  return text
    .replace(/\{\^LN-BEG\}|\{UNB\}|\*\*/g, (word) => WORDS[word] ?? "")
    .replace(/\{DATE\}/g, "")
    .replace(/\{[A-Z^][\w-]*\}/g, (word) => {
      throw new PatternError(`${word} is not supported`);
    })
    .replace(/\bTAI64N\b/g, () => tokenGroup("TAI64N"))
    .replace(/\bLEpoch\b/g, () => tokenGroup("LEpoch"))
    .replace(/\bEpoch\b/g, () => tokenGroup("s"))
    .replace(/%(?:Ex)?([A-Za-z%])/g, (_, letter: string) => SHORT_TOKENS[letter] ?? `%${letter}`)
    .replace(/%([A-Za-z%])/g, (whole, letter: string) => {
      if (letter === "%") return "%";
      if (!Object.hasOwn(DATE_TOKENS, letter)) throw new PatternError(`unknown token ${whole}`);
      return tokenGroup(letter);
    });
}

function tokenGroup(letter: string): string {
  return `(?P<${groupOf(letter)}>${DATE_TOKENS[letter]?.regex ?? ""})`;
}

function instantOfParts(parts: DateParts, now: Instant, zone: TimeZone): Instant | null {
  if (parts.epoch !== null) return Math.floor(parts.epoch);
  if (parts.afternoon === true) parts.hour += 12;
  if (parts.yearDay === 0) return instantOf(parts, now, zone);
  if (parts.year !== 0) return instantOfDay(parts, parts.year, now, zone);
  // Chooses the year as instantOf does; the month of the day depends on it.
  for (let year = zone.yearAt(now) + 1, back = 0; back <= 9; year--, back++) {
    const instant = instantOfDay(parts, year, now, zone);
    if (instant !== null && instant <= now + DAY) return instant;
  }
  return null;
}

/** The latest such time up to a minute ahead of now: lines are read soon after they are written. */
function lastTimeOfDay(parts: DateParts, now: Instant, zone: TimeZone): Instant | null {
  if (parts.afternoon === true) parts.hour += 12;
  // The zone's today may be yesterday or tomorrow in UTC.
  for (let ahead = 1; ahead >= -2; ahead--) {
    const date = new Date(now + ahead * DAY);
    const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
    const instant = instantOf({ ...parts, year, month, day }, now, zone);
    if (instant !== null && instant <= now + MINUTE) return instant;
  }
  return null;
}

/** Null for a day that the year does not have. */
function instantOfDay(parts: DateParts, year: number, now: Instant, zone: TimeZone): Instant | null {
  const date = new Date(Date.UTC(year, 0, parts.yearDay));
  if (date.getUTCFullYear() !== year) return null;
  return instantOf({ ...parts, year, month: date.getUTCMonth() + 1, day: date.getUTCDate() }, now, zone);
}
