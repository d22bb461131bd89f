import type { BanChange } from "../core/ban.ts";

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
  readonly #ring: (BanChange | undefined)[];
  readonly #listeners = new Set<() => void>();
  #last: Cursor = 0;

  constructor(capacity: number) {
    this.#ring = new Array<BanChange | undefined>(capacity);
  }

  /** The number of the newest change. */
  get last(): Cursor {
    return this.#last;
  }

  append(change: Unnumbered<BanChange>): void {
    this.#last++;
    this.#ring[this.#last % this.#ring.length] = { ...change, seq: this.#last };
    for (const wake of this.#listeners) wake();
  }

  /** At most `limit` of the changes after a cursor. */
  since(cursor: Cursor, limit: number = this.#ring.length): Catchup {
    if (cursor > this.#last || this.#last - cursor > this.#ring.length) return { kind: "resync", next: this.#last };
    const next = Math.min(this.#last, cursor + limit);
    const changes: BanChange[] = [];
    for (let seq = cursor + 1; seq <= next; seq++) {
      const change = this.#ring[seq % this.#ring.length];
      if (change !== undefined) changes.push(change);
    }
    return { kind: "changes", next, changes };
  }

  /** Calls `wake` after each change, synchronously: it must only take note. Answers how to stop that. */
  onChange(wake: () => void): () => void {
    this.#listeners.add(wake);
    return () => this.#listeners.delete(wake);
  }
}
