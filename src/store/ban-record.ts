import type { Ban } from "../core/ban.ts";
import { formatPrefix, parsePrefix } from "../core/prefix.ts";
import { FOREVER } from "../core/time.ts";

/** One line of the ban journal, as JSON. `until` is null for ever. */
export type BanRecord =
  | {
      readonly ban: string;
      readonly target: string;
      readonly jail: string;
      readonly reason: string;
      readonly since: number;
      readonly until: number | null;
      readonly origin: string;
    }
  | { readonly lift: string; readonly target: string };

export function recordOfBan(ban: Ban): string {
  const record: BanRecord = {
    ban: formatPrefix(ban.prefix),
    target: ban.target,
    jail: ban.jail,
    reason: ban.reason,
    since: ban.since,
    until: ban.until === FOREVER ? null : ban.until,
    origin: ban.origin,
  };
  return `${JSON.stringify(record)}\n`;
}

export function recordOfLift(ban: Ban): string {
  const record: BanRecord = { lift: formatPrefix(ban.prefix), target: ban.target };
  return `${JSON.stringify(record)}\n`;
}

/** Reads a line back; null for one that is torn or not ours. */
export function readRecord(line: string): { readonly kind: "ban" | "lift"; readonly ban: Ban } | null {
  let record: Record<string, unknown>;
  try {
    record = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
  if (typeof record !== "object" || record === null) return null;
  const { ban, lift, target, jail, reason, since, until, origin } = record;
  const text = typeof ban === "string" ? ban : lift;
  const prefix = typeof text === "string" ? parsePrefix(text) : null;
  if (prefix === null || typeof target !== "string") return null;
  const string = (value: unknown): string => (typeof value === "string" ? value : "");
  const restored: Ban = {
    prefix,
    target,
    jail: string(jail),
    reason: string(reason),
    since: typeof since === "number" ? since : 0,
    until: typeof until === "number" ? until : FOREVER,
    origin: string(origin),
  };
  return { kind: typeof ban === "string" ? "ban" : "lift", ban: restored };
}
