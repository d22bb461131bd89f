import type { Book } from "../book/book.ts";
import type { Cursor } from "../book/feed.ts";
import type { BanChange } from "../core/ban.ts";
import { type Duration, SECOND } from "../core/time.ts";
import { banReply } from "./ban-reply.ts";

/** The numbers of changes begin anew with each process: the epoch tells one's from another's. */
export interface EventSource {
  readonly book: Book;
  readonly epoch: string;
}

/**
 * The book's changes as server-sent events (HTML Living Standard, 9.2), from a cursor on:
 *
 *      id: EPOCH.SEQ          event: ban | prolong | lift          data: a ban as `list --json` has it; a lift says `by` as well
 *
 * A cursor is the id of the last event somebody has seen. To whoever has none, or one of another process or of too long ago, all bans are
 * told first: `event: resync`, then one `ban` each. Ends when the signal aborts. Nothing is queued: who reads slowly gets a resync.
 */
export async function* eventStream(
  { book, epoch }: EventSource,
  lastId: string | null,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let cursor = cursorOf(lastId, epoch);
  yield ": stoplog\n\n";
  while (!signal.aborted) {
    const catchup =
      cursor === null ? ({ kind: "resync", next: book.feed.last } as const) : book.feed.since(cursor, PIECE);
    cursor = catchup.next;
    if (catchup.kind === "resync") yield* resync(book, `${epoch}.${cursor}`);
    else if (catchup.changes.length > 0)
      yield catchup.changes.map((change) => eventOf(change, epoch)).join("");
    else if (await changed(book, signal)) await new Promise(setImmediate);
    else if (!signal.aborted) yield ": still here\n\n";
  }
}

/** Changes written at once. */
const PIECE = 500;
/** So that whoever is in between does not take the connection for dead. */
const HEARTBEAT: Duration = 15 * SECOND;

/** Null for a cursor that tells nothing here. */
function cursorOf(id: string | null, epoch: string): Cursor | null {
  const [, before, seq] = /^([\w-]{1,64})\.(\d{1,15})$/.exec(id ?? "") ?? [];
  return before === epoch ? Number(seq) : null;
}

/** The id stands with the last event of it: who is cut off in between begins anew. */
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

/** Waits for a change; answers false when none came before the next sign of life is due, or the signal aborted. */
function changed(book: Book, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (value: boolean): void => {
      clearTimeout(timer);
      stopListening();
      signal.removeEventListener("abort", aborted);
      resolve(value);
    };
    const aborted = (): void => done(false);
    const timer = setTimeout(() => done(false), HEARTBEAT);
    const stopListening = book.feed.onChange(() => done(true));
    signal.addEventListener("abort", aborted);
    if (signal.aborted) done(false);
  });
}
