import type { BanChange, UnbannedBy } from "../core/ban.ts";
import { formatPrefix } from "../core/prefix.ts";
import { type Duration, FOREVER, formatInstant, type Instant } from "../core/time.ts";
import type { EventKind, Wanted } from "./options.ts";
import { clip } from "../core/printable.ts";

/** One change of the bans, as others are told it. */
export interface NotifyEvent {
  /** Its number in the daemon's feed; they begin anew with each epoch. */
  readonly seq: number;
  readonly epoch: string;
  readonly kind: EventKind;
  /** An address, or a network with its length. */
  readonly address: string;
  /** Empty for none. */
  readonly jail: string;
  readonly target: string;
  readonly reason: string;
  /** ISO 8601; `until` is null for ever. */
  readonly since: string;
  readonly until: string | null;
  readonly origin: string;
  /** Why a ban was lifted; null for the other kinds. */
  readonly by: UnbannedBy | null;
  /** The machine's name. */
  readonly host: string;
}

/** What goes out at once: the first changes one by one, and how many there were beside them. */
export interface Message {
  /** The same for each try, so that who gets it twice can tell. */
  readonly id: string;
  readonly host: string;
  readonly events: readonly NotifyEvent[];
  /** Further changes that were wanted, by kind. */
  readonly more: Counts;
  /** Changes that nobody looked at, wanted or not: they came faster than they could be read. */
  readonly missed: number;
  /** When the first of it happened. */
  readonly since: Instant;
  /** True for one that tells of nothing, to see whether it arrives. */
  readonly test: boolean;
}

export type Counts = Readonly<Record<EventKind, number>>;

export const NONE: Counts = { ban: 0, prolong: 0, lift: 0 };

export interface Machine {
  readonly epoch: string;
  readonly host: string;
}

export function eventOf(change: BanChange, { epoch, host }: Machine): NotifyEvent {
  const { ban } = change;
  return {
    seq: change.seq,
    epoch,
    kind: change.kind,
    address: formatPrefix(ban.prefix),
    jail: ban.jail,
    target: ban.target,
    reason: clip(ban.reason, LONGEST_REASON),
    since: formatInstant(ban.since) ?? "",
    until: formatInstant(ban.until),
    origin: ban.origin,
    by: change.kind === "lift" ? change.by : null,
    host,
  };
}

export function isWanted({ kind, ban }: BanChange, wanted: Wanted): boolean {
  return (
    wanted.events.includes(kind) &&
    (wanted.jails?.includes(ban.jail) ?? true) &&
    (wanted.origins?.includes(ban.origin) ?? true) &&
    (wanted.targets?.includes(ban.target) ?? true)
  );
}

/** How many changes of each kind a message tells of. */
export function countsOf({ events, more }: Message): Counts {
  const counts = { ...more };
  for (const { kind } of events) counts[kind]++;
  return counts;
}

/** How many changes a message tells of, in one way or the other. */
export function sizeOf({ events, more, missed }: Message): number {
  return events.length + more.ban + more.prolong + more.lift + missed;
}

/** How long a ban lasts, from its beginning. */
export function lengthOf({ since, until }: NotifyEvent): Duration {
  return until === null ? FOREVER : Date.parse(until) - Date.parse(since);
}

/** Characters. Orders may bring longer ones. */
const LONGEST_REASON = 1000;
