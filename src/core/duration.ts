import { DAY, type Duration, FOREVER, HOUR, MINUTE, SECOND } from "./time.ts";

/**
 * Reads a duration in fail2ban's format: seconds without a unit, sums such as `1d12h`, `1h 30m` or `1h + 30`, and `-1`
 * for permanent. A month is 30.4375 days and a year 365.25 days, as in fail2ban. Returns null for other text, and for durations beyond
 * an exact count of milliseconds.
 */
export function parseDuration(text: string): Duration | null {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === "-1") return FOREVER;
  if (trimmed === "") return null;
  let total = 0;
  let rest = trimmed;
  while (rest !== "") {
    const part = PART.exec(rest);
    const unit = part === null ? undefined : UNITS.get(part[2] ?? "");
    if (part === null || unit === undefined) return null;
    total += Number(part[1]) * unit;
    rest = rest.slice(part[0].length);
  }
  const duration = Math.round(total);
  return Number.isSafeInteger(duration) ? duration : null;
}

/** From weeks to milliseconds, so that it parses to the same duration: 90 s is `1m30s`. Negative durations are `0s`. */
export function formatDuration(duration: Duration): string {
  if (duration === FOREVER) return "-1";
  let rest = Math.round(duration);
  if (rest <= 0) return "0s";
  let text = "";
  for (const [name, unit] of SPELLED) {
    const count = Math.floor(rest / unit);
    if (count > 0) text += `${count}${name}`;
    rest -= count * unit;
  }
  return rest > 0 ? `${text}${rest}ms` : text;
}

const MONTH = 30.4375 * DAY;
const YEAR = 365.25 * DAY;

/** A number, its unit, and the separator before the next. */
const PART = /^(\d+(?:\.\d+)?)\s*([a-z]*)(?:\s*\+\s*(?=\d)|\s*)/;

const UNITS: ReadonlyMap<string, Duration> = new Map([
  ["ms", 1],
  ...named(["", "s", "ss", "sec", "secs", "second", "seconds"], SECOND),
  ...named(["m", "mm", "min", "mins", "minute", "minutes"], MINUTE),
  ...named(["h", "hh", "hour", "hours"], HOUR),
  ...named(["d", "dd", "day", "days"], DAY),
  ...named(["w", "ww", "week", "weeks"], 7 * DAY),
  ...named(["mo", "mon", "month", "months"], MONTH),
  ...named(["y", "yy", "year", "years"], YEAR),
]);

const SPELLED: readonly (readonly [string, Duration])[] = [
  ["w", 7 * DAY],
  ["d", DAY],
  ["h", HOUR],
  ["m", MINUTE],
  ["s", SECOND],
];

function named(names: readonly string[], unit: Duration): [string, Duration][] {
  return names.map((name) => [name, unit]);
}
