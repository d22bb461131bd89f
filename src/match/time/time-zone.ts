import type { Instant } from "../../core/time.ts";
import { DAY, MINUTE, SECOND } from "../../core/time.ts";

/**
 * Converts local time to an instant. When the clock goes forward, the skipped times are read with the offset from before. When it goes back,
 * a repeated time is the later instant unless that is in the future: lines are read soon after they are written.
 */
export interface TimeZone {
  /** `local`, `+02:00` or an IANA name. */
  readonly name: string;
  /** The date must exist; `second` may be 60. The caller adds milliseconds. */
  instantOf(date: CivilTime, now: Instant): Instant;
  /** The local year at an instant. */
  yearAt(instant: Instant): number;
}

export interface CivilTime {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** The zone of this machine at the start of the process. */
export function localZone(): TimeZone {
  return new CachedZone("local", (instant) => -new Date(instant).getTimezoneOffset() * MINUTE);
}

/** A fixed offset in minutes east of UTC. */
export function fixedZone(minutes: number): TimeZone {
  const sign = minutes < 0 ? "-" : "+";
  const hours = Math.floor(Math.abs(minutes) / 60);
  const name = `${sign}${twoDigits(hours)}:${twoDigits(Math.abs(minutes) % 60)}`;
  return new CachedZone(name, () => minutes * MINUTE);
}

/** Reads `local`, `UTC`, `Z`, `+02:00`, `-0530` or an IANA name such as `Europe/Berlin`; null for anything else. */
export function parseTimeZone(text: string): TimeZone | null {
  if (text === "local") return localZone();
  if (text === "UTC" || text === "Z" || text === "GMT") return fixedZone(0);
  const offset = /^([+-])(\d\d):?(\d\d)$/.exec(text);
  if (offset !== null) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3]);
    if (minutes > 18 * 60 || Number(offset[3]) > 59) return null;
    return fixedZone(offset[1] === "-" ? -minutes : minutes);
  }
  try {
    return new CachedZone(text, offsetsOf(text));
  } catch {
    return null;
  }
}

/** Cached quarters of an hour; a power of two. Most lines are of one. */
const CACHE_SIZE = 16;

/** Offsets change only at full quarters of an hour. */
const QUARTER = 15 * MINUTE;

class CachedZone implements TimeZone {
  readonly name: string;
  readonly #offsetAt: (instant: Instant) => number;
  readonly #keys = new Float64Array(CACHE_SIZE).fill(-1);
  readonly #earlier = new Float64Array(CACHE_SIZE);
  readonly #later = new Float64Array(CACHE_SIZE);
  #year = 0;
  #yearFrom = 0;
  #yearUntil = 0;

  constructor(name: string, offsetAt: (instant: Instant) => number) {
    this.name = name;
    this.#offsetAt = offsetAt;
  }

  instantOf(date: CivilTime, now: Instant): Instant {
    const quarter = (date.minute / 15) | 0;
    const key = (((date.year * 16 + date.month) * 32 + date.day) * 24 + date.hour) * 4 + quarter;
    const slot = key & (CACHE_SIZE - 1);
    if (this.#keys[slot] !== key) this.#fill(slot, key, date, quarter);
    const rest = (date.minute - quarter * 15) * MINUTE + date.second * SECOND;
    const later = this.#later[slot]! + rest;
    return later <= now + MINUTE ? later : this.#earlier[slot]! + rest;
  }

  yearAt(instant: Instant): number {
    if (instant >= this.#yearFrom && instant < this.#yearUntil) return this.#year;
    this.#year = new Date(instant + this.#offsetAt(instant)).getUTCFullYear();
    const newYear = { month: 1, day: 1, hour: 0, minute: 0, second: 0 };
    this.#yearFrom = this.instantOf({ year: this.#year, ...newYear }, instant);
    this.#yearUntil = this.instantOf({ year: this.#year + 1, ...newYear }, instant);
    return this.#year;
  }

  #fill(slot: number, key: number, date: CivilTime, quarter: number): void {
    const wall = Date.UTC(date.year, date.month - 1, date.day, date.hour) + quarter * QUARTER;
    const before = this.#offsetAt(wall - DAY);
    const after = this.#offsetAt(wall + DAY);
    const first = wall - before;
    const second = wall - after;
    const firstHolds = this.#offsetAt(first) === before;
    const secondHolds = this.#offsetAt(second) === after;
    this.#keys[slot] = key;
    this.#earlier[slot] = firstHolds || !secondHolds ? first : second;
    this.#later[slot] = secondHolds ? second : first;
  }
}

function offsetsOf(name: string): (instant: Instant) => number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name,
    calendar: "gregory",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  return (instant) => {
    const parts = new Map(format.formatToParts(instant).map((part) => [part.type, Number(part.value)]));
    const field = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
    const wall = Date.UTC(
      field("year"),
      field("month") - 1,
      field("day"),
      field("hour"),
      field("minute"),
      field("second"),
    );
    return wall - Math.floor(instant / SECOND) * SECOND;
  };
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
