import { DAY, type Duration, HOUR, type Instant, MINUTE, SECOND } from "../core/time.ts";

/** How long to wait after so many tries in vain: a second, two, four … five minutes, and never less than the other side asks for. */
export function backOff(tries: number, asked: Duration | null): Duration {
  const ours = Math.min(SECOND * 2 ** Math.min(tries - 1, 20), LONGEST);
  return Math.max(ours, Math.min(asked ?? 0, DAY));
}

/** Reads Retry-After (RFC 9110, 10.2.3): seconds or a date. Null for anything else. */
export function retryAfter(said: string | undefined, now: Instant): Duration | null {
  const text = said?.trim() ?? "";
  if (/^\d{1,9}(\.\d{1,6})?$/.test(text)) return Math.ceil(Number(text) * SECOND);
  const at = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

/** After so long a message is not worth telling any more. */
export const GIVE_UP: Duration = HOUR;

const LONGEST: Duration = 5 * MINUTE;
