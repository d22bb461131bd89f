import { parsePrefix, type Prefix } from "../../../core/prefix.ts";
import { FOREVER, type Instant, SECOND } from "../../../core/time.ts";

/** An address's latest ban by a jail of fail2ban. */
export interface KnownBan {
  readonly jail: string;
  readonly prefix: Prefix;
  readonly since: Instant;
  /** FOREVER for a permanent ban; null when it is not known, as in databases from before fail2ban 0.11. */
  readonly until: Instant | null;
  /** How often the jail has banned it, this ban included. */
  readonly times: number;
}

export interface KnownBans {
  readonly bans: readonly KnownBan[];
  /** What was left out, a sentence each. */
  readonly sentences: readonly string[];
}

/** A ban as fail2ban writes it: times in seconds, a bantime of -1 for a permanent one and of -2 for an unknown one. */
export interface WrittenBan {
  readonly jail: unknown;
  readonly address: unknown;
  readonly since: unknown;
  readonly bantime: unknown;
  readonly times: unknown;
}

/** Null for something else than the ban of an address or network: jails can ban users, for example. */
export function knownBan({ jail, address, since, bantime, times }: WrittenBan): KnownBan | null {
  const prefix = typeof address === "string" ? parsePrefix(address) : null;
  if (prefix === null || typeof jail !== "string" || !isSeconds(since) || !isSeconds(bantime)) return null;
  const begin = since * SECOND;
  const end = bantime < 0 ? FOREVER : begin + bantime * SECOND;
  const until = bantime === UNKNOWN ? null : end > LAST_END ? FOREVER : end;
  return { jail, prefix, since: begin, until, times: typeof times === "number" && times >= 1 ? times : 1 };
}

const UNKNOWN = -2;
/** Later ends cannot be written as a date of four-digit years. */
const LAST_END: Instant = Date.UTC(9999, 0);

/** Whether a number can be a time in seconds: as milliseconds it is exact. */
function isSeconds(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(Math.round(value * SECOND)) && value >= UNKNOWN;
}
