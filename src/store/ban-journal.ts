import { closeSync, fsync, openSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Book } from "../book/book.ts";
import type { Cursor } from "../book/feed.ts";
import type { Ban } from "../core/ban.ts";
import { cannot } from "../core/errors.ts";
import type { Instant } from "../core/time.ts";
import { readRecord, recordOfBan, recordOfLift } from "./ban-record.ts";
import { replaceFile } from "../core/replace-file.ts";

/** What the journal held: the bans that are still running, and how many lines made no sense. */
export interface RestoredBans {
  readonly bans: readonly Ban[];
  /** Bans that ended while nobody was there to lift them. */
  readonly ended: readonly Ban[];
  readonly torn: number;
  /** False when there was no journal at all. */
  readonly found: boolean;
}

/** Reads the bans that outlived the last run. */
export async function readBans(directory: string, now: Instant): Promise<RestoredBans> {
  let text: string;
  try {
    text = await readFile(join(directory, FILE), "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT")
      return { bans: [], ended: [], torn: 0, found: false };
    throw cannot(`read the bans in ${directory}`, error);
  }
  const bans = new Map<string, Ban>();
  let torn = 0;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const record = readRecord(line);
    if (record === null) {
      torn++;
      continue;
    }
    const key = keyOf(record.ban);
    if (record.kind === "ban") bans.set(key, record.ban);
    else bans.delete(key);
  }
  const running: Ban[] = [];
  const ended: Ban[] = [];
  for (const ban of bans.values()) (ban.until > now ? running : ended).push(ban);
  return { bans: running, ended, torn, found: true };
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

function keyOf(ban: Ban): string {
  const { w0, w1, w2, w3 } = ban.prefix.address;
  return `${w0}:${w1}:${w2}:${w3}/${ban.prefix.length}@${ban.target}`;
}

function* linesOf(bans: Iterable<Ban>): Generator<string> {
  for (const ban of bans) yield recordOfBan(ban);
}
