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

export function recordOfBan({ prefix, target, jail, reason, since, until, origin }: Ban): string {
  const names = `"target":${quoted(target)},"jail":${quoted(jail)},"reason":${quoted(reason)}`;
  const times = `"since":${since},"until":${until === FOREVER ? "null" : until}`;
  return `{"ban":"${formatPrefix(prefix)}",${names},${times},"origin":${quoted(origin)}}\n`;
}

/** As JSON has it. Bans by the hundred thousand have the same few names and reasons. */
function quoted(text: string): string {
  let json = known.get(text);
  if (json === undefined) {
    json = JSON.stringify(text);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(text, json);
  }
  return json;
}

const known = new Map<string, string>();
const MOST_KNOWN = 1000;

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
