import { pauseAfter } from "../../core/back-off.ts";
import { DAY, type Duration, HOUR, type Instant, MINUTE } from "../../core/time.ts";

/** What came of asking for a list. */
export type Fetched =
  /** There is something new, or there is not. */
  | { readonly kind: "answered"; readonly rules: readonly string[]; readonly expires: Instant | null }
  /** The server was reached, and does not give the list. */
  | { readonly kind: "denied"; readonly retryAfter: string | null }
  /** Nobody was reached, so nobody's patience was used. */
  | { readonly kind: "unreached"; readonly times: number };

/**
 * When a list may be asked for again: after its interval, and never before its owner allows it, by the server's Cache-Control or
 * Retry-After (RFC 9111 5.2.2.1, RFC 9110 10.2.3) or by a comment in it. Owners who forget themselves are not followed over a week.
 */
export function nextFetch(now: Instant, fetched: Fetched, interval: Duration): Instant {
  switch (fetched.kind) {
    case "answered": {
      const wait = Math.max(interval, maxAge(fetched.rules), (fetched.expires ?? 0) - now);
      return now + Math.min(wait, LONGEST);
    }
    case "denied":
      return now + Math.min(Math.max(interval, retryAfter(fetched.retryAfter, now)), LONGEST);
    case "unreached":
      return now + pauseAfter(fetched.times, { first: MINUTE, longest: Math.max(interval, MINUTE) });
  }
}

/** Spamhaus' text says in a comment when it expires: `; Expires: Sat, 21 Nov 2026 09:00:00 GMT`. */
export function expiresIn(head: string): Instant | null {
  const said = /^[;#][ \t]*Expires:[ \t]*([^\r\n]{1,40})/im.exec(head)?.[1];
  const at = said === undefined ? Number.NaN : Date.parse(said);
  return Number.isNaN(at) ? null : at;
}

/** More often than this nobody wants to be asked (Spamhaus firewalls those who do). */
export const SHORTEST_INTERVAL: Duration = HOUR;

const LONGEST: Duration = 7 * DAY;

function maxAge(rules: readonly string[]): Duration {
  for (const rule of rules) {
    const seconds = /^max-age="?(\d{1,10})"?$/i.exec(rule)?.[1];
    if (seconds !== undefined) return Number(seconds) * 1000;
  }
  return 0;
}

function retryAfter(said: string | null, now: Instant): Duration {
  if (said === null) return 0;
  if (/^\d{1,10}$/.test(said)) return Number(said) * 1000;
  const at = Date.parse(said);
  return Number.isNaN(at) ? 0 : at - now;
}
