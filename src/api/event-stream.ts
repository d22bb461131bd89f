import type { Book } from "../book/book.ts";
import type { Cursor } from "../book/feed.ts";
import { FeedReader } from "../book/feed-reader.ts";
import type { BanChange } from "../core/ban.ts";
import { type Duration, SECOND } from "../core/time.ts";
import { banReply } from "./ban-reply.ts";

/** Change numbers start again with each process; the epoch tells processes apart. */
export interface EventSource {
  readonly book: Book;
  readonly epoch: string;
}

/**
 * The book's changes as server-sent events (HTML Living Standard, 9.2), from a cursor on:
 *
 *      id: EPOCH.SEQ          event: `ban`, `prolong` or `lift`          data: a ban as `list --json` has it; `lift` adds `by`
 *
 * A cursor is the id of the last event that the client has seen. A client without one, or with one of another process or too far back,
 * first gets all bans: `event: resync`, one `ban` each, `event: synced`. Ends when the signal aborts. Nothing is queued: a slow client
 * gets a resync.
 */
export async function* eventStream(
  { book, epoch }: EventSource,
  lastId: string | null,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let piece = "";
  let isResync = false;
  const reader = new FeedReader(
    book.feed,
    {
      atOnce: PIECE,
      changes: (changes) => changes.walk((change) => (piece += eventOf(change, epoch))),
      resync: () => void (isResync = true),
    },
    cursorOf(lastId, epoch),
  );
  yield ": stoplog\n\n";
  while (!signal.aborted) {
    piece = "";
    isResync = false;
    await reader.readOnce();
    if (isResync) yield* resync(book, `${epoch}.${reader.cursor}`);
    else if (piece !== "") yield piece;
    else if (await reader.waitForChange(HEARTBEAT, signal)) await new Promise(setImmediate);
    else if (!signal.aborted) yield ": still here\n\n";
  }
}

/** Changes in one write. */
const PIECE = 500;
/** Keeps proxies from closing a silent connection. */
const HEARTBEAT: Duration = 15 * SECOND;

/** Null for a cursor of another process, or not a cursor. */
function cursorOf(id: string | null, epoch: string): Cursor | null {
  const [, before, seq] = /^([\w-]{1,64})\.(\d{1,15})$/.exec(id ?? "") ?? [];
  return before === epoch ? Number(seq) : null;
}

/** Only its last event has an id: a client that is cut off before starts again. */
async function* resync(book: Book, id: string): AsyncGenerator<string> {
  let piece = "event: resync\ndata: {}\n\n";
  let count = 0;
  for (const ban of book.bans()) {
    piece += `event: ban\ndata: ${JSON.stringify(banReply(ban))}\n\n`;
    if (++count % PIECE !== 0) continue;
    yield piece;
    piece = "";
    await new Promise(setImmediate);
  }
  yield `${piece}id: ${id}\nevent: synced\ndata: {}\n\n`;
}

function eventOf(change: BanChange, epoch: string): string {
  const data = change.kind === "lift" ? { ...banReply(change.ban), by: change.by } : banReply(change.ban);
  return `id: ${epoch}.${change.seq}\nevent: ${change.kind}\ndata: ${JSON.stringify(data)}\n\n`;
}
