import { BoundedMap } from "../core/bounded-map.ts";
import type { Ban } from "../core/ban.ts";
import { LIMITS } from "../core/limits.ts";
import type { Unallowed } from "../core/order-note.ts";
import { formatPrefix, type Prefix } from "../core/prefix.ts";
import type { Instant } from "../core/time.ts";
import type { AllowRecord } from "./allow-record.ts";
import type { BanEnd, SeeRecord } from "./ban-record.ts";

export interface EndedBan {
  readonly ban: Ban;
  readonly end: BanEnd;
}

/** What the journal of bans has and the snapshot of counters does not. */
export interface BansSince {
  /** Bans that ended, oldest first. */
  readonly ended: readonly EndedBan[];
  readonly active: readonly Ban[];
  /** Orders to allow that were taken back; the snapshot may still have them. */
  readonly unallowed: readonly Unallowed[];
}

/** Collects from the records of the journal, in order, the bans made or ended after a moment. */
export class BansSinceReader {
  readonly #moment: Instant;
  readonly #active = new Map<string, Ban>();
  readonly #ended: EndedBan[] = [];
  /** By the network, at most MOST. */
  readonly #unallowed = new BoundedMap<string, Unallowed>(MOST);

  /** `moment` is that of the snapshot. */
  constructor(moment: Instant) {
    this.#moment = moment;
  }

  readonly see: SeeRecord = (kind, ban, end) => {
    const key = keyOf(ban);
    const before = this.#active.get(key);
    if (kind === "ban") {
      if (before !== undefined && before.since !== ban.since) this.#end(before, expiryOf(before));
      if (ban.since > this.#moment) this.#keep(key, ban);
      return;
    }
    this.#active.delete(key);
    // Expiry is written late: the ban ended when it was to end.
    if (before !== undefined) this.#end(before, end === null || end.by === "expiry" ? expiryOf(before) : end);
    else if (end !== null && end.by === "operator" && end.at > this.#moment) this.#end(ban, end);
  };

  readonly seeAllow = (record: AllowRecord): void => {
    const key = formatPrefix(record.prefix);
    if (record.kind === "allow") this.#unallowed.delete(key);
    else if (record.at > this.#moment) this.#unallowed.set(key, { prefix: record.prefix, at: record.at });
  };

  /** Call after the last record. */
  at(now: Instant): BansSince {
    const active: Ban[] = [];
    for (const ban of this.#active.values()) {
      if (ban.until > now) active.push(ban);
      else this.#end(ban, expiryOf(ban));
    }
    const unallowed = [...this.#unallowed.entries()].map(([, one]) => one);
    return { ended: this.#ended, active, unallowed };
  }

  #keep(key: string, ban: Ban): void {
    this.#active.delete(key);
    this.#active.set(key, ban);
    if (this.#active.size <= MOST) return;
    for (const oldest of this.#active.keys()) {
      this.#active.delete(oldest);
      break;
    }
  }

  #end(ban: Ban, end: BanEnd): void {
    this.#ended.push({ ban, end });
    if (this.#ended.length > MOST) this.#ended.splice(0, MOST / 2);
  }
}

/** Bans of each kind. Snapshots that fail for a long time let them grow; jails do not remember more either. */
const MOST = LIMITS.offenders.value;

function expiryOf({ until }: Ban): BanEnd {
  return { by: "expiry", at: until };
}

function keyOf({ prefix, target }: { readonly prefix: Prefix; readonly target: string }): string {
  return `${formatPrefix(prefix)} ${target}`;
}
