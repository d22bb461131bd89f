import { pauseAfter, type Pauses } from "../core/back-off.ts";
import { DAY, type Duration, HOUR, type Instant, MINUTE, SECOND } from "../core/time.ts";

/** Pause after so many failed attempts: 1 s, 2 s, 4 s … 5 min, and never less than the server asks for. */
export function backOff(tries: number, asked: Duration | null): Duration {
  return Math.max(pauseAfter(tries, PAUSES), Math.min(asked ?? 0, DAY));
}

/** Reads Retry-After (RFC 9110, 10.2.3): seconds or a date. Null for anything else. */
export function retryAfter(said: string | undefined, now: Instant): Duration | null {
  const text = said?.trim() ?? "";
  if (/^\d{1,9}(\.\d{1,6})?$/.test(text)) return Math.ceil(Number(text) * SECOND);
  const at = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

/** A message older than this is given up. */
export const GIVE_UP: Duration = HOUR;

const PAUSES: Pauses = { first: SECOND, longest: 5 * MINUTE };
