import type { BanChange, UnbannedBy } from "../core/ban.ts";
import { formatPrefix } from "../core/prefix.ts";
import { type Duration, FOREVER, formatInstant, type Instant } from "../core/time.ts";
import type { EventKind, Wanted } from "./options.ts";
import { clip } from "../core/printable.ts";

/** One change of the ban list, as messages contain it. */
export interface NotifyEvent {
  /** Its number in the daemon's feed; numbers restart with each epoch. */
  readonly seq: number;
  readonly epoch: string;
  readonly kind: EventKind;
  /** An address, or a network in CIDR notation. */
  readonly address: string;
  /** Empty for a ban without a jail. */
  readonly jail: string;
  readonly target: string;
  readonly reason: string;
  /** ISO 8601; `until` is null for a permanent ban. */
  readonly since: string;
  readonly until: string | null;
  readonly origin: string;
  /** Why a ban ended; null for other kinds. */
  readonly by: UnbannedBy | null;
  /** The machine's name. */
  readonly host: string;
}

/** One message: the first changes one by one, and the numbers of further ones. */
export interface Message {
  /** The same for every try: recipients can detect duplicates. */
  readonly id: string;
  readonly host: string;
  readonly events: readonly NotifyEvent[];
  /** Further selected changes, by kind. */
  readonly more: Counts;
  /** Changes that were not read, selected or not: they came too fast. */
  readonly missed: number;
  /** The time of the first change. */
  readonly since: Instant;
  /** True for a test message, which contains no changes. */
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

/** The number of changes of each kind in a message. */
export function countsOf({ events, more }: Message): Counts {
  const counts = { ...more };
  for (const { kind } of events) counts[kind]++;
  return counts;
}

/** The number of all changes in a message. */
export function sizeOf({ events, more, missed }: Message): number {
  return events.length + more.ban + more.prolong + more.lift + missed;
}

/** The length of a ban. */
export function lengthOf({ since, until }: NotifyEvent): Duration {
  return until === null ? FOREVER : Date.parse(until) - Date.parse(since);
}

/** Characters. Orders may have longer reasons. */
const LONGEST_REASON = 1000;
