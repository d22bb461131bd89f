import { closeSync, fsync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Book } from "../book/book.ts";
import { type Changes, FeedReader } from "../book/feed-reader.ts";
import type { Ban } from "../core/ban.ts";
import { cannot } from "../core/errors.ts";
import { type Duration, type Instant, SECOND } from "../core/time.ts";
import { readRecord, RecordWriter } from "./ban-record.ts";
import { readLines } from "./read-lines.ts";
import { replaceFile } from "../core/replace-file.ts";

/** The outcome of reading the journal. */
export interface ReadBans {
  /** False when there was no journal. */
  readonly found: boolean;
  /** Unreadable lines. */
  readonly torn: number;
}

export interface ReadBansOptions {
  readonly now: Instant;
  /** Whether to restore bans that expired while the daemon was down, so that they are unbanned. */
  readonly ended: boolean;
  /** As `readLines` has it. */
  readonly onLarge?: () => void;
}

/** Restores the bans of the last run into the book, change by change as they were written; the feed does not report them. */
export async function readBans(
  directory: string,
  book: Book,
  { now, ended, onLarge }: ReadBansOptions,
): Promise<ReadBans> {
  let torn = 0;
  const apply = (kind: "ban" | "unban", ban: Ban): void => {
    if (kind === "ban" && (ended || ban.until > now)) book.restore(ban);
    else book.unrestore(ban);
  };
  try {
    for await (const lines of readLines(join(directory, FILE), onLarge)) {
      for (const line of lines) {
        if (line !== "" && !readRecord(line, apply)) torn++;
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return { found: false, torn: 0 };
    throw cannot(`read the bans in ${directory}`, error);
  }
  return { found: true, torn };
}

/**
 * Bans on disk: a reader of the book's feed that appends each change to a file, and rewrites the file when it has grown to several times the
 * active bans. An appended change survives a crash of the daemon; after `sync`, also a crash of the machine.
 */
export class BanJournal {
  readonly #directory: string;
  readonly #book: Book;
  readonly #warn: (sentence: string) => void;
  #file: number | null = null;
  readonly #reader: FeedReader;
  /** Changes in the file; a line holds many. */
  #records = 0;
  /** Whether the file may end within a line: the next record would be lost with it. */
  #torn = false;
  readonly #writer = new RecordWriter();
  #failed = 0;

  constructor(directory: string, book: Book, warn: (sentence: string) => void) {
    this.#directory = directory;
    this.#book = book;
    this.#warn = warn;
    this.#reader = new FeedReader(book.feed, {
      atOnce: PIECE,
      delay: () => SOON,
      changes: (changes) => this.#append(changes),
      resync: () => this.#rewrite(),
      failed: (thrown) => this.#complain(thrown),
    });
  }

  /** Writes that failed: the disk is full, or the directory is gone. */
  get failed(): number {
    return this.#failed;
  }

  /** Starts a file with the active bans, and follows the book from there. */
  async open(): Promise<void> {
    this.#reader.invalidate();
    await this.#reader.read();
    this.#reader.listen();
  }

  /** Appends all changes so far. The journal does so itself a tenth of a second after a change. After a failure, the next call tries again. */
  flush(): Promise<void> {
    return this.#reader.read();
  }

  /** Makes appended changes survive a crash of the machine. */
  async sync(): Promise<void> {
    const file = this.#file;
    if (file !== null) await new Promise((resolve) => fsync(file, resolve));
  }

  async close(): Promise<void> {
    await this.flush();
    await this.#reader.close();
    if (this.#file === null) return;
    await this.sync();
    closeSync(this.#file);
    this.#file = null;
  }

  #complain(error: unknown): void {
    this.#failed++;
    this.#warn(cannot(`save bans in ${this.#directory}`, error).message);
  }

  #append(changes: Changes): void | Promise<void> {
    const hasGrown = this.#records > 2 * this.#book.size + SLACK;
    if (hasGrown || this.#file === null) return this.#rewrite();
    const writer = this.#writer;
    changes.walk((change) => {
      if (change.kind === "lift") writer.unban(change.ban);
      else writer.ban(change.ban);
    });
    if (this.#torn) writeWhole(this.#file, LINE_END);
    this.#torn = true;
    writeWhole(this.#file, writer.take());
    this.#torn = false;
    this.#records += changes.size;
  }

  async #rewrite(): Promise<void> {
    const path = join(this.#directory, FILE);
    let records = 0;
    // The book changes during the walk: such a change may be in the file already, and is appended again.
    await replaceFile(
      path,
      linesOf(this.#book.bans(), () => records++),
    );
    if (this.#file !== null) closeSync(this.#file);
    this.#file = openSync(path, "a", 0o600);
    this.#records = records;
    this.#torn = false;
  }
}

/** Changes written at once. */
const PIECE = 8000;
/** Time a change waits for others, so that they share one write. */
const SOON: Duration = 0.1 * SECOND;
const FILE = "bans.jsonl";
/** Changes beyond twice the active bans before the file is rewritten. */
const SLACK = 10_000;

/** Yields some lines at a time. */
function* linesOf(bans: Iterable<Ban>, count: () => void): Generator<string> {
  const writer = new RecordWriter();
  for (const ban of bans) {
    count();
    writer.ban(ban);
    if (writer.length > LINES_BYTES) yield text(writer.take());
  }
  yield text(writer.take());
}

const LINES_BYTES = 8 * 1024;
const LINE_END = Buffer.from("\n");

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}

/** A nearly full disk takes a part of the bytes. */
function writeWhole(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
}
