/** A point in time, in milliseconds since 1970-01-01 UTC. `FOREVER` for the end of a permanent ban. */
export type Instant = number;

/** A length of time in milliseconds. `FOREVER` for a permanent ban. */
export type Duration = number;

export const FOREVER = Number.POSITIVE_INFINITY;

export const SECOND: Duration = 1000;
export const MINUTE: Duration = 60 * SECOND;
export const HOUR: Duration = 60 * MINUTE;
export const DAY: Duration = 24 * HOUR;

/** ISO 8601 in UTC; null for FOREVER, which the JSON contract demands, and after the last date. */
export function formatInstant(instant: Instant): string | null {
  return Math.abs(instant) <= LAST_DATE ? new Date(instant).toISOString() : null;
}

/** The largest time value of a Date (ECMA-262, 21.4.1.1), in the year 275760. */
const LAST_DATE: Instant = 8.64e15;
