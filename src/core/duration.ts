import { DAY, type Duration, FOREVER, HOUR, MINUTE, SECOND } from "./time.ts";

/**
 * Reads a duration as fail2ban writes it: seconds without a unit, sums such as `1d12h` or `1h 30m`, and `-1` for
 * ever. A month is 30.4375 days and a year 365.25, as there. Answers null for anything else.
 */
export function parseDuration(text: string): Duration | null {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === "-1") return FOREVER;
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Math.round(Number(trimmed) * SECOND);
  let total = 0;
  let rest = trimmed;
  while (rest !== "") {
    const part = /^(\d+(?:\.\d+)?)\s*([a-z]+)[\s+]*/.exec(rest);
    const unit = part === null ? undefined : UNITS[part[2] ?? ""];
    if (part === null || unit === undefined) return null;
    total += Number(part[1]) * unit;
    rest = rest.slice(part[0].length);
  }
  return trimmed === "" ? null : Math.round(total);
}

/** The shortest text that reads back as the same duration: `90` s is `1m30s`. */
export function formatDuration(duration: Duration): string {
  if (duration === FOREVER) return "-1";
  if (duration === 0) return "0s";
  let rest = duration;
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

const UNITS: Readonly<Record<string, Duration>> = {
  ms: 1,
  ...spread(["s", "ss", "sec", "secs", "second", "seconds"], SECOND),
  ...spread(["m", "mm", "min", "mins", "minute", "minutes"], MINUTE),
  ...spread(["h", "hh", "hour", "hours"], HOUR),
  ...spread(["d", "dd", "day", "days"], DAY),
  ...spread(["w", "ww", "week", "weeks"], 7 * DAY),
  ...spread(["mo", "mon", "month", "months"], MONTH),
  ...spread(["y", "yy", "year", "years"], YEAR),
};

const SPELLED: readonly (readonly [string, Duration])[] = [
  ["w", 7 * DAY],
  ["d", DAY],
  ["h", HOUR],
  ["m", MINUTE],
  ["s", SECOND],
];

function spread(names: readonly string[], unit: Duration): Record<string, Duration> {
  return Object.fromEntries(names.map((name) => [name, unit]));
}
