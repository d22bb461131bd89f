import type { Instant } from "../../core/time.ts";
import { SECOND } from "../../core/time.ts";
import { latin1 } from "../line-text.ts";
import { instantOf, newDateFields } from "./civil-time.ts";
import { DateText } from "./date-text.ts";
import { instantOfTai } from "./date-tokens.ts";
import type { TimeZone } from "./time-zone.ts";

/**
 * Reads the time of a line; null when it has none. A date counts only where the logging program writes it and an attacker cannot: at the start
 * of the line (behind a syslog priority or an opening bracket), in the head of an audit record, and in the brackets right before
 * the quoted request of an access log, because servers escape quotes in everything before it.
 *
 *      Nov 20 14:44:48            Nov 20 2026 14:44:48         Fri Nov 20 14:44:48.123 2026
 *      2026-11-20T14:44:48.123Z   2026-11-20 14:44:48,123 +01:00   2026/11/20 14:44:48   20261120T144448
 *      2026.11.20 14:44:48        20-11-2026 14:44:48
 *      20/Nov/2026:14:44:48 +0000   20-Nov-2026 14:44:48.123   20 Nov 2026 14:44:48   Fri, 20 Nov 2026 14:44:48 GMT
 *      1795185888.123             audit(1795185888.123:42)     261120 14:44:48
 *      @400000006b0077aa1dcd6500
 */
export function readTimestamp(line: string | Buffer, now: Instant, zone: TimeZone): Instant | null {
  const text = typeof line === "string" ? line : latin1(line, 0, line.length);
  if (now === last.now && zone === last.zone && text.startsWith(last.text)) return last.instant;
  const instant = readAnywhere(text, now, zone);
  if (instant !== null) remember(text, now, zone, instant);
  return instant;
}

/** The last date read: in a flood, many lines have the same. */
const last = { text: " ", now: Number.NaN, zone: null as TimeZone | null, instant: 0 };

/** Characters behind a date, enough to see whether it continues: ` 2026 ` or ` +01:00` and the next one. */
const BEHIND = 10;

/** Keeps a date at the start of the line with the characters behind it that decided where it ends. */
function remember(text: string, now: Instant, zone: TimeZone, instant: Instant): void {
  if (!readAtStart || reader.at + BEHIND > text.length) return;
  last.text = text.slice(0, reader.at + BEHIND);
  last.now = now;
  last.zone = zone;
  last.instant = instant;
}

let readAtStart = false;

function readAnywhere(text: string, now: Instant, zone: TimeZone): Instant | null {
  readAtStart = true;
  reader.set(text, 0);
  skipPriority();
  const at = reader.at;
  const code = reader.code();
  if (code === BRACKET) {
    reader.at++;
    const instant = readAny(now, zone);
    if (instant !== null) return instant;
  } else {
    const instant = readAny(now, zone);
    if (instant !== null) return instant;
    readAtStart = false;
    if (code === LOWER_T || code === LOWER_N) return readAudit(text, at);
  }
  readAtStart = false;
  return readAccessLog(text, now, zone);
}

const reader = new DateText();
const fields = newDateFields();

const SPACE = 32;
const MINUS = 45;
const DOT = 46;
const SLASH = 47;
const COLON = 58;
const LESS = 60;
const GREATER = 62;
const AT = 64;
const LETTER_T = 84;
const BRACKET = 91;
const LOWER_N = 110;
const LOWER_T = 116;

/** Syslog's priority `<34>`, and RFC 5424's version `1 ` behind it. */
function skipPriority(): void {
  if (!reader.char(LESS)) return;
  if (!reader.number(1, 3) || !reader.char(GREATER)) reader.at = 0;
  else if (reader.code() === 49 && reader.code(1) === SPACE) reader.at += 2;
}

function readAny(now: Instant, zone: TimeZone): Instant | null {
  fields.offset = null;
  fields.millisecond = 0;
  const found = reader.isDigit() ? readDigits() : reader.code() === AT ? readTai() : readNamed();
  if (found === "epoch") return epoch;
  return found ? instantOf(fields, now, zone) : null;
}

let epoch: Instant = 0;

/** `Nov 20 14:44:48`, with an optional weekday before it and a year behind the day or at the end. */
function readNamed(): boolean {
  if (reader.weekday() && reader.isDigit()) return reader.number(1, 2) && readDayMonthYear(SPACE);
  const month = reader.month();
  if (month === 0 || !reader.spaces() || !reader.number(1, 2)) return false;
  fields.month = month;
  fields.day = reader.value;
  fields.year = 0;
  if (!reader.spaces()) return false;
  if (reader.isDigit(1) && reader.isDigit(2)) {
    if (!reader.digits(4)) return false;
    fields.year = reader.value;
    if (!reader.spaces()) return false;
  }
  if (!reader.timeOfDay(fields)) return false;
  if (fields.year === 0 && reader.code() === SPACE && isYearNext()) {
    reader.at++;
    reader.digits(4);
    fields.year = reader.value;
  }
  return true;
}

/** Whether a year and the end of the date come next; a program may be called `1984` and be followed by a colon. */
function isYearNext(): boolean {
  for (let i = 1; i <= 4; i++) if (!reader.isDigit(i)) return false;
  const end = reader.code(5);
  return Number.isNaN(end) || end === 93 || end === SPACE;
}

function readDigits(): boolean | "epoch" {
  let count = 1;
  while (count <= 10 && reader.isDigit(count)) count++;
  const separator = reader.code(count);
  if (count === 10) return readEpoch();
  if (count === 4 && (separator === MINUS || separator === SLASH || separator === DOT))
    return readYearFirst(separator);
  if (count === 8 && separator === LETTER_T) return readCompact();
  if (count === 6 && separator === SPACE) return readMysql();
  return count <= 2 && reader.number(1, 2) && readDayMonthYear(separator);
}

/** `1795185888` with an optional fraction: seconds since 1970. */
function readEpoch(): boolean | "epoch" {
  if (!reader.digits(10)) return false;
  epoch = reader.value * SECOND;
  if (!reader.fraction(fields)) return false;
  epoch += fields.millisecond;
  return "epoch";
}

/** TAI64N, as multilog and svlogd write it. */
function readTai(): boolean | "epoch" {
  const { text, at } = reader;
  if (!TAI.test(text.slice(at, at + 26))) return false;
  const instant = instantOfTai(text, at);
  if (instant === null) return false;
  epoch = instant;
  reader.at += 25;
  return "epoch";
}

const TAI = /^@4[0-9a-f]{23}(?![0-9a-f])/;

/** `2026-11-20T14:44:48.123+01:00`, `2026-11-20 14:44:48,123`, `2026/11/20 14:44:48`, `2026.11.20 14:44:48`. */
function readYearFirst(separator: number): boolean {
  if (!reader.digits(4)) return false;
  fields.year = reader.value;
  reader.at++;
  if (!reader.digits(2)) return false;
  fields.month = reader.value;
  if (!reader.char(separator) || !reader.digits(2)) return false;
  fields.day = reader.value;
  if (!reader.char(LETTER_T) && !reader.char(LOWER_T) && !reader.spaces()) return false;
  if (!reader.timeOfDay(fields)) return false;
  reader.zone(fields);
  return true;
}

/** `20261120T144448Z`. */
function readCompact(): boolean {
  if (!reader.digits(4)) return false;
  fields.year = reader.value;
  if (!reader.digits(2)) return false;
  fields.month = reader.value;
  if (!reader.digits(2)) return false;
  fields.day = reader.value;
  reader.at++;
  return readTimeInOne();
}

/** `144448` with optional fraction and zone. */
function readTimeInOne(): boolean {
  if (!reader.digits(2)) return false;
  fields.hour = reader.value;
  if (!reader.digits(2)) return false;
  fields.minute = reader.value;
  if (!reader.digits(2)) return false;
  fields.second = reader.value;
  if (!reader.fraction(fields)) return false;
  reader.zone(fields);
  return true;
}

/** `261120 14:44:48`, as MySQL before 5.7 writes it. */
function readMysql(): boolean {
  if (!reader.digits(2)) return false;
  fields.year = 2000 + reader.value;
  if (!reader.digits(2)) return false;
  fields.month = reader.value;
  if (!reader.digits(2)) return false;
  fields.day = reader.value;
  return reader.spaces() && reader.timeOfDay(fields);
}

/** `20/Nov/2026:14:44:48 +0000`, `20-Nov-2026 14:44:48.123`, `20 Nov 2026 14:44:48`, `20-11-2026 14:44:48`; the day is already read. */
function readDayMonthYear(separator: number): boolean {
  fields.day = reader.value;
  if (!reader.char(separator)) return false;
  if (separator === MINUS && reader.isDigit()) {
    if (!reader.digits(2)) return false;
    fields.month = reader.value;
  } else fields.month = reader.month();
  if (fields.month === 0 || !reader.char(separator) || !reader.digits(4)) return false;
  fields.year = reader.value;
  if (!reader.char(COLON) && !reader.spaces()) return false;
  if (!reader.timeOfDay(fields)) return false;
  reader.zone(fields);
  return true;
}

/** `type=… msg=audit(1795185888.123:42): …` with an optional `node=…` before it. Text of programs never comes before the first `(`. */
function readAudit(text: string, at: number): Instant | null {
  if (!text.startsWith("type=", at) && !text.startsWith("node=", at)) return null;
  const open = text.indexOf("(", at);
  if (open < 0 || !text.startsWith("msg=audit", open - 9)) return null;
  reader.set(text, open + 1);
  return readEpoch() === "epoch" && reader.code() === COLON ? epoch : null;
}

/** `192.0.2.1 - user [20/Nov/2026:14:44:48 +0000] "GET …`. */
function readAccessLog(text: string, now: Instant, zone: TimeZone): Instant | null {
  const end = text.indexOf('] "');
  if (end < 0) return null;
  const open = text.lastIndexOf("[", end);
  // The longest date in brackets is `[20/Nov/2026:14:44:48.123456 +0000`.
  if (open < 0 || end - open > 40) return null;
  reader.set(text, open + 1);
  const instant = readAny(now, zone);
  return instant !== null && reader.at === end ? instant : null;
}
