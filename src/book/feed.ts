import type { BanChange, LiftedBy } from "../core/ban.ts";
import { BanColumns } from "./ban-columns.ts";

/** Where a reader stands in the feed: the number of the last change it has taken. */
export type Cursor = number;

export type Catchup =
  | { readonly kind: "changes"; readonly next: Cursor; readonly changes: readonly BanChange[] }
  /** The reader fell behind: it takes the whole book instead, and goes on from `next`. */
  | { readonly kind: "resync"; readonly next: Cursor };

/** A change before the feed has numbered it. */
export type Unnumbered<T> = T extends unknown ? Omit<T, "seq"> : never;

/**
 * The last changes of the book, numbered from 1. Readers keep their own cursors, so none can hold up another or the book, and
 * nothing is ever queued for a reader: whoever comes later than `capacity` changes gets one resync.
 *
 *      [ … 41 42 43 ]      kernel ▲43      store ▲41      page ▲12 → resync
 */
export class Feed {
  readonly #capacity: number;
  /** A ring in columns: the change numbered n stands at n - 1 modulo the capacity. */
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
    if (cursor > this.#last || this.#last - cursor > this.#capacity)
      return { kind: "resync", next: this.#last };
    const next = Math.min(this.#last, cursor + limit);
    const changes: BanChange[] = [];
    for (let seq = cursor + 1; seq <= next; seq++) changes.push(this.#change(seq));
    return { kind: "changes", next, changes };
  }

  /** How many changes after a cursor, to the newest, are bans (or longer ones), and how many lifts. The feed must know all of them. */
  countSince(cursor: Cursor): { readonly bans: number; readonly lifts: number } {
    let bans = 0;
    for (let seq = cursor; seq < this.#last; seq++) {
      if ((this.#events[seq % this.#capacity] as number) <= NUMBERS.prolong) bans++;
    }
    return { bans, lifts: this.#last - cursor - bans };
  }

  /** Calls `wake` after each change, synchronously: it must only take note. Answers how to stop that. */
  onChange(wake: () => void): () => void {
    this.#listeners.add(wake);
    return () => this.#listeners.delete(wake);
  }

  #change(seq: Cursor): BanChange {
    const place = (seq - 1) % this.#capacity;
    const ban = this.#bans.at(place);
    const event = EVENTS[this.#events[place] as number] as Event;
    return event === "ban" || event === "prolong"
      ? { seq, kind: event, ban }
      : { seq, kind: "lift", ban, by: event };
  }
}

/** What happened to a ban, in one byte. */
type Event = "ban" | "prolong" | LiftedBy;

const NUMBERS: Readonly<Record<Event, number>> = {
  ban: 0,
  prolong: 1,
  expiry: 2,
  operator: 3,
  good: 4,
  origin: 5,
  full: 6,
};
const EVENTS = Object.keys(NUMBERS) as readonly Event[];
