import { setImmediate as nextTurn } from "node:timers/promises";
import type { BanChange } from "../core/ban.ts";
import type { Duration } from "../core/time.ts";
import type { Cursor, Feed } from "./feed.ts";

export interface FeedConsumer {
  /** Takes the next changes. If it throws or rejects, the reader offers them again. */
  readonly changes: (changes: Changes) => void | Promise<void>;
  /** Takes the whole book instead: the reader fell `missed` changes behind, or was invalidated (0). */
  readonly resync: (missed: number) => void | Promise<void>;
  /** Most changes in one call. Default: everything that is new. */
  readonly atOnce?: number;
  /** Time between a change and the reading it causes, so that changes are taken together. Default 0: the end of this turn. */
  readonly delay?: () => Duration;
  /** Bounds the rate: each wake-up makes one call, and what is left waits for another `delay`. */
  readonly oncePerDelay?: boolean;
  /**
   * Handles what `changes` or `resync` threw. If it returns a promise, the reader tries again once that resolves, else at the next
   * wake-up or `read`. Without it `read` rejects.
   */
  readonly failed?: (thrown: unknown) => void | Promise<void>;
  /** Runs each call, for a consumer that shares a lock with other work. */
  readonly within?: (call: () => Promise<void>) => Promise<void>;
}

/**
 * One reader of the book's feed: a cursor, and the wake-ups that move it. Calls of the consumer never overlap. A reader that falls behind
 * further than the feed remembers makes one `resync` call and continues from there; nothing is queued for it in between.
 *
 *      change ─► (delay) ─► changes(42…97) ─► changes(98…103)        cursor ▲103
 */
export class FeedReader {
  readonly #feed: Feed;
  readonly #consumer: FeedConsumer;
  /** The last change that was taken; null when the whole book is to be taken. */
  #cursor: Cursor | null;
  #stopListening: (() => void) | null = null;
  /** The wake-up that is due. */
  #timer: { readonly cancel: () => void } | null = null;
  #isReading = false;
  /** Whether the reading goes on until nothing is left. */
  #readsAll = false;
  #reading: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** Starts at the newest change; a cursor of null starts with a resync. */
  constructor(feed: Feed, consumer: FeedConsumer, from: Cursor | null = feed.last) {
    this.#feed = feed;
    this.#consumer = consumer;
    this.#cursor = from;
  }

  get cursor(): Cursor | null {
    return this.#cursor;
  }

  get isBehind(): boolean {
    return this.#cursor !== this.#feed.last;
  }

  /** Reads by itself from now on, whenever something changes. A reader that does not listen is read with `read`. */
  listen(): void {
    if (this.#isClosed) return;
    this.#stopListening ??= this.#feed.onChange(() => this.#wake());
    if (this.isBehind) this.#wake();
  }

  /** The next call is a resync; a reader that listens makes it soon. */
  invalidate(): void {
    this.#cursor = null;
    if (this.#stopListening !== null) this.#wake();
  }

  /** Takes everything that is new, now. With a synchronous consumer it has been taken when this returns. */
  read(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    this.#readsAll = true;
    if (!this.#isReading && !this.#isClosed) this.#reading = this.#run();
    return this.#reading;
  }

  /** Makes at most one call. */
  readOnce(): void | Promise<void> {
    const from = this.#cursor;
    const { last } = this.#feed;
    if (from === last) return;
    if (from === null || !this.#feed.remembers(from)) {
      // Before the call: what changes during it is not in the book that it walks, and follows as changes.
      this.#cursor = last;
      return this.#attempt(from, () => this.#consumer.resync(Math.max(0, last - (from ?? last))));
    }
    const next = Math.min(last, from + (this.#consumer.atOnce ?? Number.POSITIVE_INFINITY));
    this.#cursor = next;
    return this.#attempt(from, () => this.#consumer.changes(new Changes(this.#feed, from, next)));
  }

  /** Resolves with true when there is something to read; with false after `patience`, or when the signal aborts. */
  waitForChange(patience: Duration, signal: AbortSignal): Promise<boolean> {
    if (this.isBehind || signal.aborted) return Promise.resolve(!signal.aborted);
    return new Promise((resolve) => {
      const done = (value: boolean): void => {
        clearTimeout(timer);
        stopListening();
        signal.removeEventListener("abort", onAbort);
        resolve(value);
      };
      const onAbort = (): void => done(false);
      const timer = setTimeout(() => done(false), patience);
      const stopListening = this.#feed.onChange(() => done(true));
      signal.addEventListener("abort", onAbort);
    });
  }

  /** Stops listening, and resolves when a call that is running has ended. To take the last changes, `read` before. */
  close(): Promise<void> {
    this.#isClosed = true;
    this.#stopListening?.();
    this.#timer?.cancel();
    this.#timer = null;
    return this.#reading;
  }

  /** All changes of one turn of the event loop, or of `delay`, are taken together. */
  #wake(): void {
    if (this.#timer !== null || this.#isReading || this.#isClosed) return;
    this.#timer = after(this.#consumer.delay?.() ?? 0, () => {
      this.#timer = null;
      this.#readsAll = this.#consumer.oncePerDelay !== true;
      this.#reading = this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isReading = true;
    let turn = performance.now();
    try {
      while (this.isBehind && !this.#isClosed) {
        try {
          const call = this.#call();
          if (call !== undefined) await call;
        } catch (thrown) {
          const { failed } = this.#consumer;
          if (failed === undefined) throw thrown;
          const again = failed(thrown);
          if (again === undefined || this.#isClosed) return;
          await again;
        }
        if (!this.#readsAll || !this.isBehind) break;
        // A consumer may do its work at once: in a flood there is call after call, and other work waits.
        if (performance.now() - turn < this.#stretch) continue;
        await nextTurn();
        turn = performance.now();
      }
    } finally {
      this.#isReading = false;
    }
    if (this.isBehind && this.#stopListening !== null) this.#wake();
  }

  #call(): void | Promise<void> {
    const { within } = this.#consumer;
    return within === undefined ? this.readOnce() : within(async () => this.readOnce());
  }

  /** After a failure the cursor stands where it stood; a consumer that meanwhile called `invalidate` has its way. */
  #attempt(from: Cursor | null, call: () => void | Promise<void>): void | Promise<void> {
    const next = this.#cursor;
    const back = (thrown: unknown): never => {
      if (this.#cursor === next) this.#cursor = from;
      throw thrown;
    };
    try {
      const running = call();
      return running === undefined ? undefined : running.catch(back);
    } catch (thrown) {
      return back(thrown);
    }
  }

  get #stretch(): number {
    const behind = this.#feed.last - (this.#cursor ?? 0);
    return behind > FAR_BEHIND ? LONG_STRETCH : STRETCH;
  }
}

/** Changes in a row. They are read from the feed itself: take them before anything is awaited. */
export class Changes {
  readonly #feed: Feed;
  readonly #from: Cursor;
  readonly #next: Cursor;

  constructor(feed: Feed, from: Cursor, next: Cursor) {
    this.#feed = feed;
    this.#from = from;
    this.#next = next;
  }

  get size(): number {
    return this.#next - this.#from;
  }

  /** Shows them one by one in one object that is filled again for each. A consumer copies what it keeps, prefix and address too. */
  walk(see: (change: BanChange) => void): void {
    if (this.#feed.walk(this.#from, this.size, see).kind === "resync") throw new Error(OVERWRITTEN);
  }

  /** The first `most` of them, as objects to keep. */
  copies(most: number = this.size): readonly BanChange[] {
    const catchup = this.#feed.since(this.#from, Math.min(most, this.size));
    if (catchup.kind === "resync") throw new Error(OVERWRITTEN);
    return catchup.changes;
  }

  /** Counts what comes after the first `most`. */
  countAfter(most: number): { readonly bans: number; readonly lifts: number } {
    return this.#feed.count(Math.min(this.#from + most, this.#next), this.#next);
  }
}

const OVERWRITTEN = "Cannot read changes of the feed: newer ones have overwritten them";

/**
 * In ms: calls go on for so long before other work gets a turn of the event loop; longer when so many changes wait that the feed might
 * overwrite some, which would cost a resync. Packet sources read for 5 ms at a time.
 */
const STRETCH = 5;
const LONG_STRETCH = 20;
const FAR_BEHIND = 10_000;

function after(delay: Duration, wake: () => void): { readonly cancel: () => void } {
  if (delay > 0) {
    const timer = setTimeout(wake, delay).unref();
    return { cancel: () => clearTimeout(timer) };
  }
  const turn = setImmediate(wake);
  return { cancel: () => clearImmediate(turn) };
}
