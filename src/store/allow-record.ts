import type { Allowed, Unallowed } from "../core/order-note.ts";
import { formatPrefix, parsePrefix } from "../core/prefix.ts";
import { FOREVER } from "../core/time.ts";

/** A record of the journal of bans that is not about a ban. */
export type AllowRecord = ({ readonly kind: "allow" } & Allowed) | ({ readonly kind: "unallow" } & Unallowed);

/**
 *      {"allow":"192.0.2.0/24","since":1,"until":null,"origin":"operator"}     `until` is null for a permanent one
 *      {"unallow":"192.0.2.0/24","at":1}
 */
export function allowLine(record: AllowRecord): string {
  const text = formatPrefix(record.prefix);
  if (record.kind === "unallow") return `${JSON.stringify({ unallow: text, at: record.at })}\n`;
  const { since, until, origin } = record;
  return `${JSON.stringify({ allow: text, since, until: until === FOREVER ? null : until, origin })}\n`;
}

/** Null for a line that is not such a record, or damaged. */
export function readAllow(line: string): AllowRecord | null {
  if (!STARTS.test(line)) return null;
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
  const { allow, unallow, at, since, until, origin } = record;
  const text = allow ?? unallow;
  const prefix = typeof text === "string" ? parsePrefix(text) : null;
  if (prefix === null) return null;
  if (allow === undefined) return typeof at === "number" ? { kind: "unallow", prefix, at } : null;
  if (typeof since !== "number" || typeof origin !== "string") return null;
  if (until !== null && typeof until !== "number") return null;
  return { kind: "allow", prefix, since, until: until ?? FOREVER, origin };
}

const STARTS = /^\{"(?:un)?allow"/;
