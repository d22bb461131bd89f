import { LIMITS } from "../../core/limits.ts";
import type { Instant } from "../../core/time.ts";
import { DAY, MINUTE, SECOND } from "../../core/time.ts";
import { BoundedSearch } from "../run/dfa/bounded-search.ts";
import { compilePrograms } from "../run/dfa/compile-program.ts";
import { DfaMemory } from "../run/dfa/dfa-memory.ts";
import type { Match } from "../run/dfa/walk.ts";
import { PatternError } from "../filter/escape.ts";
import { isLinear } from "../run/cost-class.ts";
import { translate } from "../filter/translate.ts";
import { type DateFields, instantOf, newDateFields } from "./civil-time.ts";
import { DateText } from "./date-text.ts";
import { readTimestamp } from "./read-timestamp.ts";
import type { TimeZone } from "./time-zone.ts";

/** Reads the time of a line by a filter's `datepattern`. */
export interface DatePattern {
  read(line: string, now: Instant, zone: TimeZone): Instant | null;
}

/**
 * Compiles a datepattern: strptime's tokens and a few of fail2ban's words in a regular expression. Several lines are several patterns, and
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
  const { source, groups } = translate(expandTokens(text));
  const fields = groups.filter((group) => group.startsWith("date_"));
  if (fields.length === 0) throw new PatternError("has no date token such as %Y or Epoch");
  if (new Set(fields).size < fields.length) throw new PatternError("has the same token twice");
  if (!isLinear(source)) throw new PatternError("has lookaround or counts above 16: cost cannot be bounded");
  const search = boundedSearch(source);
  const setters = groups.map((group) => SETTERS[group]);
  const instantIn = fields.some((group) => OF_A_DATE.has(group)) ? instantOfParts : lastTimeOfDay;
  return (line, now, zone) => {
    const match = search(line);
    if (match === null) return null;
    const parts: Parts = { ...newDateFields(), epoch: null, afternoon: null, yearDay: 0 };
    for (let i = 0; i < setters.length; i++) {
      const value = match[i + 1];
      if (value !== undefined) setters[i]?.(parts, value);
    }
    return instantIn(parts, now, zone);
  };
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

interface Parts extends DateFields {
  epoch: Instant | null;
  afternoon: boolean | null;
  /** Day of the year from 1; 0 when not given. */
  yearDay: number;
}

interface Token {
  readonly regex: string;
  readonly set: (parts: Parts, value: string) => void;
}

const MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/** By strptime's letter. fail2ban's `%Ex…` means the same: years are always checked. */
const TOKENS: Readonly<Record<string, Token>> = {
  Y: { regex: String.raw`\d{4}`, set: (parts, value) => (parts.year = Number(value)) },
  y: { regex: String.raw`\d{2}`, set: (parts, value) => (parts.year = 2000 + Number(value)) },
  m: { regex: String.raw`\d{1,2}`, set: (parts, value) => (parts.month = Number(value)) },
  d: { regex: String.raw`[ \d]?\d`, set: (parts, value) => (parts.day = Number(value)) },
  H: { regex: String.raw`[ \d]?\d`, set: (parts, value) => (parts.hour = Number(value)) },
  I: { regex: String.raw`[ \d]?\d`, set: (parts, value) => (parts.hour = Number(value) % 12) },
  M: { regex: String.raw`\d\d`, set: (parts, value) => (parts.minute = Number(value)) },
  S: { regex: String.raw`\d\d`, set: (parts, value) => (parts.second = Number(value)) },
  f: {
    regex: String.raw`\d{1,9}`,
    set: (parts, value) => (parts.millisecond = Math.floor(Number(`0.${value}`) * SECOND)),
  },
  b: {
    regex: String.raw`[A-Za-z]{3}`,
    set: (parts, value) => (parts.month = MONTH_NAMES.indexOf(value.toLowerCase()) + 1),
  },
  B: {
    regex: String.raw`[A-Za-z]{3,9}`,
    set: (parts, value) => (parts.month = MONTH_NAMES.indexOf(value.slice(0, 3).toLowerCase()) + 1),
  },
  j: { regex: String.raw`\d{1,3}`, set: (parts, value) => (parts.yearDay = Number(value)) },
  p: { regex: String.raw`[AaPp][Mm]`, set: (parts, value) => (parts.afternoon = /^p/i.test(value)) },
  z: {
    regex: String.raw`(?:Z|UTC|GMT|[+-]\d\d:?(?:\d\d)?)`,
    set: (parts, value) => {
      zoneText.set(value, 0);
      zoneText.zone(parts);
    },
  },
  s: {
    regex: String.raw`\d{10,11}(?:\.\d+)?`,
    set: (parts, value) => (parts.epoch = Number(value) * SECOND),
  },
  LEpoch: { regex: String.raw`\d{13}`, set: (parts, value) => (parts.epoch = Number(value)) },
};

const zoneText = new DateText();

/** Tokens that only skip text, and abbreviations of others. */
const SHORT: Readonly<Record<string, string>> = {
  a: "[A-Za-z]{3}",
  A: "[A-Za-z]{6,9}",
  Z: "[A-Z]{3,5}",
  e: "%d",
  k: "%H",
  l: "%I",
  T: "%H:%M:%S",
  F: "%Y-%m-%d",
  D: "%m/%d/%y",
  "%": "%%",
};

const WORDS: Readonly<Record<string, string>> = {
  "{^LN-BEG}": String.raw`^(?:<\d{1,3}>)?\W?\W?`,
  "{UNB}": "",
  "**": "",
};

const GROUP_PREFIX = "date_";

const SETTERS: Readonly<Record<string, Token["set"]>> = Object.fromEntries(
  Object.entries(TOKENS).map(([letter, token]) => [groupOf(letter), token.set]),
);

/** Groups of a date. A pattern without any of them reads a time of day. */
const OF_A_DATE: ReadonlySet<string> = new Set(
  ["Y", "y", "m", "d", "b", "B", "j", "s", "LEpoch"].map(groupOf),
);

/** The translator lower-cases the names of groups; tokens are case-sensitive. */
function groupOf(letter: string): string {
  return GROUP_PREFIX + (letter === letter.toLowerCase() ? letter : `upper_${letter.toLowerCase()}`);
}

function expandTokens(text: string): string {
  return text
    .replace(/\{\^LN-BEG\}|\{UNB\}|\*\*/g, (word) => WORDS[word] ?? "")
    .replace(/\{[A-Z^][\w-]*\}|TAI64N/g, (word) => {
      throw new PatternError(`${word} is not supported`);
    })
    .replace(/\bLEpoch\b/g, () => tokenGroup("LEpoch"))
    .replace(/\bEpoch\b/g, () => tokenGroup("s"))
    .replace(/%(?:Ex)?([A-Za-z%])/g, (_, letter: string) => SHORT[letter] ?? `%${letter}`)
    .replace(/%([A-Za-z%])/g, (whole, letter: string) => {
      if (letter === "%") return "%";
      if (!Object.hasOwn(TOKENS, letter)) throw new PatternError(`unknown token ${whole}`);
      return tokenGroup(letter);
    });
}

function tokenGroup(letter: string): string {
  return `(?P<${groupOf(letter)}>${TOKENS[letter]?.regex ?? ""})`;
}

function instantOfParts(parts: Parts, now: Instant, zone: TimeZone): Instant | null {
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
function lastTimeOfDay(parts: Parts, now: Instant, zone: TimeZone): Instant | null {
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
function instantOfDay(parts: Parts, year: number, now: Instant, zone: TimeZone): Instant | null {
  const date = new Date(Date.UTC(year, 0, parts.yearDay));
  if (date.getUTCFullYear() !== year) return null;
  return instantOf({ ...parts, year, month: date.getUTCMonth() + 1, day: date.getUTCDate() }, now, zone);
}
