import type { Ban, BanChange, UnbannedBy } from "../core/ban.ts";
import { BanColumns, emptyBan } from "./ban-columns.ts";
import { counter, declareMetrics } from "../core/metrics.ts";

/** The number of the last change that a reader has taken. */
export type Cursor = number;

export type Catchup =
  | { readonly kind: "changes"; readonly next: Cursor; readonly changes: readonly BanChange[] }
  | Resync;

/** The reader fell behind: it takes the whole book instead, and continues from `next`. */
export interface Resync {
  readonly kind: "resync";
  readonly next: Cursor;
}

/** A change without its number. */
export type Unnumbered<T> = T extends unknown ? Omit<T, "seq"> : never;

/**
 * The last changes of the book, numbered from 1. Each reader has its own cursor, so none delays another or the book, and nothing is queued
 * for a reader: one that is more than `capacity` changes behind gets one resync.
 *
 *      [ … 41 42 43 ]      kernel ▲43      store ▲41      page ▲12 → resync
 */
export class Feed {
  readonly #capacity: number;
  /** A ring in columns: change n is at n - 1 modulo the capacity. */
  readonly #bans: BanColumns;
  readonly #events: Uint8Array;
  readonly #listeners = new Set<() => void>();
  #last: Cursor = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#bans = new BanColumns(capacity);
    this.#events = new Uint8Array(capacity);
  }

  /** The number of the newest change. */
  get last(): Cursor {
    return this.#last;
  }

  append(change: Unnumbered<BanChange>): void {
    const place = this.#last % this.#capacity;
    this.#last++;
    this.#bans.set(place, change.ban);
    this.#events[place] = NUMBERS[change.kind === "lift" ? change.by : change.kind];
    for (const wake of this.#listeners) wake();
  }

  /** At most `limit` of the changes after a cursor. */
  since(cursor: Cursor, limit: number = this.#capacity): Catchup {
    const changes: BanChange[] = [];
    const walked = this.walk(cursor, limit, (change) => changes.push(copyOf(change)));
    return walked.kind === "resync" ? walked : { ...walked, changes };
  }

  /**
   * Shows the same changes one by one in one object that is filled again for each, so a flood makes no objects. A consumer copies what it
   * keeps, prefix and address too.
   */
  walk(
    cursor: Cursor,
    limit: number,
    see: (change: BanChange) => void,
  ): { readonly kind: "changes"; readonly next: Cursor } | Resync {
    if (!this.remembers(cursor)) return { kind: "resync", next: this.#last };
    const next = Math.min(this.#last, cursor + limit);
    const view = { seq: 0, kind: "", by: "", ban: emptyBan() };
    for (let place = cursor; place < next; place++) {
      const slot = place % this.#capacity;
      const event = EVENTS[this.#events[slot] as number] as Event;
      const isUnban = event !== "ban" && event !== "prolong";
      view.seq = place + 1;
      view.kind = isUnban ? "lift" : event;
      view.by = isUnban ? event : "";
      this.#bans.read(slot, view.ban);
      see(view as BanChange);
    }
    return { kind: "changes", next };
  }

  /** Counts the changes after `from` up to `to`, prolonged bans as bans. The feed must remember all of them. */
  count(from: Cursor, to: Cursor): { readonly bans: number; readonly lifts: number } {
    let bans = 0;
    for (let seq = from; seq < to; seq++) {
      if ((this.#events[seq % this.#capacity] as number) <= NUMBERS.prolong) bans++;
    }
    return { bans, lifts: to - from - bans };
  }

  /** Whether every change after the cursor is still in the ring. */
  remembers(cursor: Cursor): boolean {
    return cursor <= this.#last && this.#last - cursor <= this.#capacity;
  }

  /** Calls `wake` after each change, synchronously: it must return quickly. Returns a function that ends this. */
  onChange(wake: () => void): () => void {
    this.#listeners.add(wake);
    return () => this.#listeners.delete(wake);
  }
}

/** What happened to a ban, in one byte. */
type Event = "ban" | "prolong" | UnbannedBy;

const NUMBERS: Readonly<Record<Event, number>> = {
  ban: 0,
  prolong: 1,
  expiry: 2,
  operator: 3,
  good: 4,
  origin: 5,
  full: 6,
  moved: 7,
  exempt: 8,
};
const EVENTS = Object.keys(NUMBERS) as readonly Event[];

function copyOf(change: BanChange): BanChange {
  const { seq, kind, ban } = change;
  const copy: Ban = { ...ban, prefix: { address: { ...ban.prefix.address }, length: ban.prefix.length } };
  return kind === "lift" ? { seq, kind, ban: copy, by: change.by } : { seq, kind, ban: copy };
}

declareMetrics(
  { at: "feed" },
  { last: counter("stoplog_ban_changes_total", "Changes of bans: made, prolonged, ended.") },
);
