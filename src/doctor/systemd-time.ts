import { DAY, type Duration, HOUR, MINUTE, SECOND } from "../core/time.ts";

/** A time span of systemd.time(7): `30s`, `1min 30s`, `500ms`; a plain number is seconds. Null for anything else. */
export function parseSpan(text: string): Duration | null {
  const words = [...text.trim().matchAll(/(\d+(?:\.\d+)?)\s*([a-z]*)\s*/giy)];
  if (words.length === 0 || words.map(([word]) => word).join("") !== text.trim()) return null;
  let sum = 0;
  for (const [, number, unit = ""] of words) {
    const length = UNITS[unit];
    if (length === undefined) return null;
    sum += Number(number) * length;
  }
  return sum;
}

const UNITS: Readonly<Record<string, Duration>> = {
  "": SECOND,
  s: SECOND,
  sec: SECOND,
  second: SECOND,
  seconds: SECOND,
  us: SECOND / 1e6,
  usec: SECOND / 1e6,
  ms: SECOND / 1e3,
  msec: SECOND / 1e3,
  m: MINUTE,
  min: MINUTE,
  minute: MINUTE,
  minutes: MINUTE,
  h: HOUR,
  hr: HOUR,
  hour: HOUR,
  hours: HOUR,
  d: DAY,
  day: DAY,
  days: DAY,
};
