import type { Instant } from "../../core/time.ts";
import { SECOND } from "../../core/time.ts";
import type { DateFields } from "./civil-time.ts";
import { DateText } from "./date-text.ts";

/** The parts of a date that the tokens of a datepattern read. */
export interface DateParts extends DateFields {
  epoch: Instant | null;
  afternoon: boolean | null;
  /** Day of the year from 1; 0 when not given. */
  yearDay: number;
}

/** A token of strptime that reads a part of a date. */
export interface DateToken {
  readonly regex: string;
  readonly set: (parts: DateParts, value: string) => void;
}

/** The instant of a TAI64N label, which begins at `at` with an @; its form is checked. Null for one before 1970. */
export function instantOfTai(text: string, at: number): Instant | null {
  // As djb's tai64nlocal: 2^62 is 1970, and TAI was ten seconds ahead of UTC then.
  const seconds = Number.parseInt(text.slice(at + 2, at + 17), 16) - TAI_AHEAD;
  if (text[at + 1] !== "4" || seconds < 0) return null;
  return seconds * SECOND + Math.floor(Number.parseInt(text.slice(at + 17, at + 25), 16) / 1_000_000);
}

/** Seconds. */
const TAI_AHEAD = 10;

const MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/** By strptime's letter. fail2ban's `%Ex…` means the same: years are always checked. */
export const DATE_TOKENS: Readonly<Record<string, DateToken>> = {
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
  LEpoch: {
    // Seconds, milliseconds or microseconds, by the number of digits.
    regex: String.raw`\d{10,16}(?:\.\d+)?`,
    set: (parts, value) => {
      const digits = value.replace(/\..*/, "").length;
      parts.epoch = Number(value) * (digits < 13 ? SECOND : digits < 16 ? 1 : 0.001);
    },
  },
  TAI64N: {
    regex: "@[0-9a-f]{16}[0-9a-f]{8}",
    set: (parts, value) => (parts.epoch = instantOfTai(value, 0)),
  },
};

const zoneText = new DateText();

/** Tokens that only skip text, and abbreviations of others. */
export const SHORT_TOKENS: Readonly<Record<string, string>> = {
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

/** The regular expression of a token, without groups; null for an unknown letter. */
export function tokenRegex(letter: string): string | null {
  if (letter === "%") return "%";
  if (Object.hasOwn(DATE_TOKENS, letter)) return DATE_TOKENS[letter]?.regex ?? null;
  const short = Object.hasOwn(SHORT_TOKENS, letter) ? SHORT_TOKENS[letter] : undefined;
  return short?.replace(/%([A-Za-z])/g, (_, other: string) => tokenRegex(other) ?? "") ?? null;
}
