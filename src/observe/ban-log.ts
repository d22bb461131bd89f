import type { Book } from "../book/book.ts";
import { type Changes, FeedReader } from "../book/feed-reader.ts";
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
  #delay: Duration = SOON;
  readonly #reader: FeedReader;

  constructor(book: Book, log: Log) {
    this.#book = book;
    this.#log = log;
    this.#reader = new FeedReader(book.feed, {
      delay: () => this.#delay,
      changes: (changes) => this.#say(changes),
      resync: (missed) => this.#sayCount(missed),
    });
    this.#reader.listen();
  }

  /** Logs at once what there is to log. */
  flush(): void {
    void this.#reader.read();
  }

  close(): void {
    this.flush();
    void this.#reader.close();
  }

  #say(changes: Changes): void {
    for (const change of changes.copies(ONE_BY_ONE)) this.#log.info(sentenceOf(change));
    const isFlood = changes.size > ONE_BY_ONE;
    this.#delay = isFlood ? SECOND : SOON;
    if (!isFlood) return;
    const { bans, lifts } = changes.countAfter(ONE_BY_ONE);
    this.#log.info(`And ${bans} more banned, ${lifts} more freed; ${this.#book.size} bans stand now`);
  }

  #sayCount(missed: number): void {
    this.#delay = SECOND;
    this.#log.info(`${missed} changes in a moment; ${this.#book.size} bans stand now`);
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
