import type { Instant } from "../../core/time.ts";
import { DAY, MINUTE, SECOND } from "../../core/time.ts";
import type { TimeZone } from "./time-zone.ts";

/** The fields of a date. One object is reused for every line. */
export interface DateFields {
  /** 0 when the line has no year. */
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  millisecond: number;
  /** Minutes east of UTC; null when the line does not say. */
  offset: number | null;
}

export function newDateFields(): DateFields {
  return { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0, millisecond: 0, offset: null };
}

/**
 * The instant of a date; null for a date that does not exist. Without a year it is the latest year in which the date exists and is at most a
 * day ahead of now: on New Year's Day, December is of last year, and a clock that runs ahead on New Year's Eve writes January of the
 * next.
 */
export function instantOf(fields: DateFields, now: Instant, zone: TimeZone): Instant | null {
  if (!isTimeOfDay(fields) || fields.month < 1 || fields.month > 12 || fields.day < 1) return null;
  if (fields.year !== 0) return isDate(fields) ? resolve(fields, now, zone) : null;
  const year = zone.yearAt(now);
  let instant: Instant | null = null;
  // Only January can be of next year. February 29 can be eight years back (1904, 1896).
  for (let back = fields.month === 1 ? -1 : 0; back <= 8 && instant === null; back++) {
    fields.year = year - back;
    if (!isDate(fields)) continue;
    const candidate = resolve(fields, now, zone);
    if (candidate <= now + DAY) instant = candidate;
  }
  fields.year = 0;
  return instant;
}

function resolve(fields: DateFields, now: Instant, zone: TimeZone): Instant {
  if (fields.offset === null) return zone.instantOf(fields, now) + fields.millisecond;
  const day = Date.UTC(fields.year, fields.month - 1, fields.day, fields.hour);
  return day + (fields.minute - fields.offset) * MINUTE + fields.second * SECOND + fields.millisecond;
}

/** Second 60, a leap second, becomes the first of the next minute. */
function isTimeOfDay(fields: DateFields): boolean {
  return fields.hour < 24 && fields.minute < 60 && fields.second <= 60;
}

/** Years from 1970 on: older dates are misread. */
function isDate({ year, month, day }: DateFields): boolean {
  if (year < 1970 || year > 9999) return false;
  if (day <= 28) return true;
  if (month === 2) return day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= 30 || (day === 31 && (month <= 7 ? month % 2 === 1 : month % 2 === 0));
}
