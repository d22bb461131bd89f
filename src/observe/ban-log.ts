import type { Book } from "../book/book.ts";
import type { Cursor } from "../book/feed.ts";
import type { BanChange, LiftedBy } from "../core/ban.ts";
import { formatDuration } from "../core/duration.ts";
import { formatPrefix } from "../core/prefix.ts";
import { type Duration, FOREVER, SECOND } from "../core/time.ts";
import type { Log } from "./log.ts";

/**
 * Says in the log who was banned and freed: the first ones one by one, the rest as one sentence with counts, and after such a sentence
 * nothing for a second. It is a reader of the book's feed like any other.
 */
export class BanLog {
  readonly #book: Book;
  readonly #log: Log;
  #cursor: Cursor;
  #timer: NodeJS.Timeout | null = null;
  #delay: Duration = SOON;
  readonly #stopListening: () => void;

  constructor(book: Book, log: Log) {
    this.#book = book;
    this.#log = log;
    this.#cursor = book.feed.last;
    this.#stopListening = book.feed.onChange(() => {
      this.#timer ??= setTimeout(() => this.flush(), this.#delay).unref();
    });
  }

  /** Says now what there is to say. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const { feed, size } = this.#book;
    const before = this.#cursor;
    const catchup = feed.since(before, ONE_BY_ONE);
    this.#cursor = feed.last;
    const hasMore = catchup.next < feed.last;
    this.#delay = catchup.kind === "resync" || hasMore ? SECOND : SOON;
    if (catchup.kind === "resync") {
      this.#log.info(`${catchup.next - before} changes in a moment; ${size} bans stand now`);
      return;
    }
    for (const change of catchup.changes) this.#log.info(sentenceOf(change));
    if (!hasMore) return;
    const { bans, lifts } = feed.countSince(catchup.next);
    this.#log.info(`And ${bans} more banned, ${lifts} more freed; ${size} bans stand now`);
  }

  close(): void {
    this.flush();
    this.#stopListening();
  }
}

/** How long a change waits for others that come with it. */
const SOON: Duration = 0.2 * SECOND;
/** Changes of one moment that are told one by one. */
const ONE_BY_ONE = 10;

const LIFTED: Readonly<Record<LiftedBy, string>> = {
  expiry: "its time is up",
  operator: "by hand",
  good: "it logged in with success",
  origin: "its origin took it back",
  full: "the book is full",
};

function sentenceOf(change: BanChange): string {
  const { ban } = change;
  const what = `${formatPrefix(ban.prefix)} at ${ban.target}`;
  const jail = ban.jail === "" ? "" : ` (${ban.jail})`;
  if (change.kind === "lift") return `Freed ${what}${jail}: ${LIFTED[change.by]}`;
  const time =
    ban.until === FOREVER
      ? "for ever"
      : `for ${formatDuration(Math.round((ban.until - ban.since) / SECOND) * SECOND)}`;
  return `${change.kind === "ban" ? "Banned" : "Prolonged"} ${what} ${time}${jail}: ${ban.reason}`;
}
