import { pauseAfter } from "../../core/back-off.ts";
import { DAY, type Duration, HOUR, type Instant, MINUTE } from "../../core/time.ts";

/** The outcome of a fetch. */
export type Fetched =
  /** The server sent a new version, or said that nothing changed. */
  | { readonly kind: "answered"; readonly rules: readonly string[]; readonly expires: Instant | null }
  /** The server was reached, and did not send the list. */
  | { readonly kind: "denied"; readonly retryAfter: string | null }
  /** No server was reached, so trying again soon burdens none. */
  | { readonly kind: "unreached"; readonly times: number };

/**
 * When a list may be fetched again: after its interval, and not before its publisher allows it, by Cache-Control or Retry-After
 * (RFC 9111 5.2.2.1, RFC 9110 10.2.3) or by a comment in the list. A publisher can delay it by at most a week.
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

/** Spamhaus' text has its expiry in a comment: `; Expires: Sat, 21 Nov 2026 09:00:00 GMT`. */
export function expiresIn(head: string): Instant | null {
  const said = /^[;#][ \t]*Expires:[ \t]*([^\r\n]{1,40})/im.exec(head)?.[1];
  const at = said === undefined ? Number.NaN : Date.parse(said);
  return Number.isNaN(at) ? null : at;
}

/** The shortest interval that publishers accept (Spamhaus blocks clients that fetch more often). */
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
