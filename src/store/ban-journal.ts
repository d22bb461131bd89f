import { closeSync, fsync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Book } from "../book/book.ts";
import type { Cursor } from "../book/feed.ts";
import type { Ban } from "../core/ban.ts";
import { cannot } from "../core/errors.ts";
import type { Instant } from "../core/time.ts";
import { readRecord, recordOfBan, recordOfLift } from "./ban-record.ts";
import { readLines } from "./read-lines.ts";
import { replaceFile } from "../core/replace-file.ts";

/** What became of the journal that was read. */
export interface ReadBans {
  /** False when there was no journal at all. */
  readonly found: boolean;
  /** Lines that made no sense. */
  readonly torn: number;
}

export interface ReadBansOptions {
  readonly now: Instant;
  /** Whether bans count that ended while nobody was there to lift them. */
  readonly ended: boolean;
  /** As `readLines` has it. */
  readonly onLarge?: () => void;
}

/** Puts the bans that outlived the last run into the book, change by change as they were written, and not into its feed. */
export async function readBans(
  directory: string,
  book: Book,
  { now, ended, onLarge }: ReadBansOptions,
): Promise<ReadBans> {
  let torn = 0;
  try {
    for await (const lines of readLines(join(directory, FILE), onLarge)) {
      for (const line of lines) {
        if (line === "") continue;
        const record = readRecord(line);
        if (record === null) torn++;
        else if (record.kind === "ban" && (ended || record.ban.until > now)) book.restore(record.ban);
        else book.unrestore(record.ban);
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { found: false, torn: 0 };
    throw cannot(`read the bans in ${directory}`, error);
  }
  return { found: true, torn };
}

/**
 * Bans on disk: a reader of the book's feed that appends each change to a file, and writes the file anew once it has grown to
 * several times what stands. What is written survives a crash of the daemon at once, and of the machine after the next sync.
 */
export class BanJournal {
  readonly #directory: string;
  readonly #book: Book;
  readonly #warn: (sentence: string) => void;
  #file: number | null = null;
  #cursor: Cursor;
  #lines = 0;
  #writing = false;
  #failed = 0;

  constructor(directory: string, book: Book, warn: (sentence: string) => void) {
    this.#directory = directory;
    this.#book = book;
    this.#warn = warn;
    this.#cursor = book.feed.last;
  }

  /** Writes that failed: the disk is full, the directory gone. */
  get failed(): number {
    return this.#failed;
  }

  /** Starts a file that holds what stands now. */
  async open(): Promise<void> {
    try {
      await this.#rewrite();
    } catch (error) {
      this.#complain(error);
    }
  }

  /** Appends what has changed since the last call, some milliseconds' worth at a time. What fails is tried again at the next call. */
  async flush(): Promise<void> {
    while (!this.#writing && this.#cursor !== this.#book.feed.last) {
      this.#writing = true;
      try {
        await this.#writeSome();
      } catch (error) {
        return this.#complain(error);
      } finally {
        this.#writing = false;
      }
      await new Promise(setImmediate);
    }
  }

  /** Makes what was appended survive a crash of the machine. */
  async sync(): Promise<void> {
    const file = this.#file;
    if (file !== null) await new Promise((resolve) => fsync(file, resolve));
  }

  async close(): Promise<void> {
    await this.flush();
    if (this.#file === null) return;
    await this.sync();
    closeSync(this.#file);
    this.#file = null;
  }

  #complain(error: unknown): void {
    this.#failed++;
    this.#warn(cannot(`save bans in ${this.#directory}`, error).message);
  }

  async #writeSome(): Promise<void> {
    const catchup = this.#book.feed.since(this.#cursor, PIECE);
    const hasGrown = this.#lines > 2 * this.#book.size + SLACK;
    if (catchup.kind === "resync" || hasGrown || this.#file === null) return this.#rewrite();
    const records = catchup.changes.map((c) =>
      c.kind === "lift" ? recordOfLift(c.ban) : recordOfBan(c.ban),
    );
    writeSync(this.#file, records.join(""));
    this.#cursor = catchup.next;
    this.#lines += records.length;
  }

  async #rewrite(): Promise<void> {
    const cursor = this.#book.feed.last;
    const path = join(this.#directory, FILE);
    // Walked while the book goes on: what changes meanwhile may stand in it or not, and follows as appended changes.
    const lines = await replaceFile(path, linesOf(this.#book.bans()));
    if (this.#file !== null) closeSync(this.#file);
    this.#file = openSync(path, "a", 0o600);
    this.#cursor = cursor;
    this.#lines = lines;
  }
}

/** Changes written at once. */
const PIECE = 4000;
const FILE = "bans.jsonl";
/** Lines beyond twice the standing bans before the file is written anew. */
const SLACK = 10_000;

function* linesOf(bans: Iterable<Ban>): Generator<string> {
  for (const ban of bans) yield recordOfBan(ban);
}
