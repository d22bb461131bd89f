import type { Book } from "../book/book.ts";
import { type Changes, FeedReader } from "../book/feed-reader.ts";
import { type BanChange, UNBANNED_BY } from "../core/ban.ts";
import { formatDuration } from "../core/duration.ts";
import { formatPrefix } from "../core/prefix.ts";
import { type Duration, FOREVER, SECOND } from "../core/time.ts";
import type { Log } from "./log.ts";

/**
 * Logs bans and unbans: the first few one by one, the rest as one sentence with counts, then nothing for a second. It reads the book's
 * feed.
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
    this.#log.info(`${bans} more banned, ${lifts} more unbanned; ${this.#book.size} active bans`);
  }

  #sayCount(missed: number): void {
    this.#delay = SECOND;
    this.#log.info(`${missed} changes at once; ${this.#book.size} active bans`);
  }
}

/** How long a change waits for others. */
const SOON: Duration = 0.2 * SECOND;
/** Changes that are logged one by one. */
const ONE_BY_ONE = 10;

function sentenceOf(change: BanChange): string {
  const { ban } = change;
  const what = `${formatPrefix(ban.prefix)} at ${ban.target}`;
  const jail = ban.jail === "" ? "" : ` (${ban.jail})`;
  if (change.kind === "lift") return `Unbanned ${what}${jail}: ${UNBANNED_BY[change.by]}`;
  const time =
    ban.until === FOREVER
      ? "permanently"
      : `for ${formatDuration(Math.round((ban.until - ban.since) / SECOND) * SECOND)}`;
  return `${change.kind === "ban" ? "Banned" : "Prolonged"} ${what} ${time}${jail}: ${ban.reason}`;
}
