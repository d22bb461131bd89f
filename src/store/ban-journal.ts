import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import type { Book } from "../book/book.ts";
import { type Changes, FeedReader } from "../book/feed-reader.ts";
import type { Ban } from "../core/ban.ts";
import type { Clock } from "../core/clock.ts";
import { cannot, factOf } from "../core/errors.ts";
import type { Allowed, OrderNote, Unallowed } from "../core/order-note.ts";
import { type Duration, SECOND } from "../core/time.ts";
import { RecordWriter } from "./ban-record.ts";
import { allowLine } from "./allow-record.ts";
import type { BansSince, EndedBan } from "./bans-since.ts";
import { replaceFile } from "../core/replace-file.ts";
import { BANS_FILE, endLine, HEAD_LINE } from "./read-bans.ts";

export interface BanJournalDeps {
  readonly book: Book;
  readonly clock: Clock;
  /** The orders to allow that last. */
  readonly allowed: () => Iterable<Allowed>;
  readonly warn: (sentence: string) => void;
}

/**
 * Bans on disk: a reader of the book's feed that appends each change to a file, and rewrites the file when it has grown to several times the
 * active bans. An appended change survives a crash of the daemon; after `commit`, also a crash of the machine.
 *
 *      {"journal":"bans","version":1}     written with the first bans: a file without it was cut off at the front, or is not ours
 *      {"bans":[…],…}  {"lifts":[…],…}    changes
 *      {"allow":"192.0.2.0/24",…}  {"unallow":"192.0.2.0/24",…}     orders that make no ban, written at once
 *      {"end":1795132800000}              after the last change of a daemon that ended cleanly
 */
export class BanJournal {
  readonly #path: string;
  readonly #directory: string;
  readonly #book: Book;
  readonly #clock: Clock;
  readonly #warn: (sentence: string) => void;
  /** Bans that ended, for as long as the file must still have them. */
  #ended: readonly EndedBan[] = [];
  #unallowed: readonly Unallowed[] = [];
  /** Changes from this byte on may be newer than the saved counters: a rewrite keeps them. */
  #recent = 0;
  readonly #allowed: () => Iterable<Allowed>;
  #isRewriting = false;
  /** Lines noted during a rewrite, for the new file. */
  #noted: Uint8Array[] = [];
  #file: number | null = null;
  readonly #reader: FeedReader;
  /** Changes in the file; a line holds many. */
  #records = 0;
  /** After a rewrite that failed: so many changes may be in the file before the next. */
  #patience = 0;
  /** Whether the file may end within a line: the next record would be lost with it. */
  #torn = false;
  readonly #writer = new RecordWriter();
  #failed = 0;
  #trouble: string | null = null;
  /** The sync that runs. A file that a rewrite replaces is closed after it. */
  #syncing: Promise<void> = Promise.resolve();
  /** The commit that waits for the one that runs; it serves every call until it begins. */
  #nextCommit: Promise<string | null> | null = null;
  #commit: Promise<unknown> = Promise.resolve();

  constructor(directory: string, { book, clock, allowed, warn }: BanJournalDeps) {
    this.#directory = directory;
    this.#path = join(directory, BANS_FILE);
    this.#book = book;
    this.#clock = clock;
    this.#allowed = allowed;
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

  /** Why the last write failed, as a sentence; null once bans are saved again. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** Starts a file with what ended and what is active, and follows the book from there. */
  async open({ ended, unallowed }: Pick<BansSince, "ended" | "unallowed"> = NONE): Promise<void> {
    this.#ended = ended;
    this.#unallowed = unallowed;
    this.#reader.invalidate();
    await this.#reader.read();
    this.#reader.listen();
  }

  /** Appends what an order did apart from the bans. Before `open` nothing is written. */
  note(note: OrderNote): void {
    if (this.#file === null) return;
    this.#noted.push(note.kind === "reset" ? this.#resetLine(note) : Buffer.from(allowLine(note)));
    // The changes until now first: a reset concerns the bans that ended before it.
    if (!this.#isRewriting) void this.flush();
  }

  /** Appends all changes so far. The journal does so itself a tenth of a second after a change. After a failure, the next call tries again. */
  flush(): Promise<void> {
    const read = this.#reader.read();
    if (!this.#reader.isBehind) this.#writeNoted();
    return read.then(() => this.#writeNoted());
  }

  /** Writes the file again when another program removed or replaced it. */
  check(): void {
    if (this.#file === null) return;
    if (lstatSync(this.#path, { throwIfNoEntry: false })?.ino === fstatSync(this.#file).ino) return;
    this.#warn(`Another program removed or replaced ${this.#path}; writing all bans again`);
    this.#reader.invalidate();
  }

  /** Call when the counters are captured. What it returns is called when they are saved: ended bans from before need not be in the file any more. */
  capture(): () => void {
    const file = this.#file;
    const size = file === null ? null : sizeOf(file);
    return () => {
      this.#ended = [];
      this.#unallowed = [];
      if (this.#file === file && size !== null) this.#recent = size;
    };
  }

  /**
   * Makes every change so far survive a crash of the machine. Resolves with null, or the fact why they are not on disk. Calls while a commit
   * runs share the next one: however many orders arrive, the disk syncs once at a time.
   */
  commit(): Promise<string | null> {
    if (this.#nextCommit !== null) return this.#nextCommit;
    const before = this.#commit;
    const next = (async () => {
      await before;
      this.#nextCommit = null;
      return this.#commitNow();
    })();
    this.#nextCommit = next;
    this.#commit = next;
    return next;
  }

  /** Marks the file as complete. */
  async close(now: number): Promise<void> {
    await this.flush();
    await this.#commit;
    await this.#reader.close();
    if (this.#file === null) return;
    try {
      if (!this.#reader.isBehind) this.#write(Buffer.from(endLine(now)));
      await this.#sync();
    } catch (error) {
      this.#complain(error);
    }
    closeSync(this.#file);
    this.#file = null;
  }

  async #commitNow(): Promise<string | null> {
    await this.flush();
    if (this.#trouble !== null) return this.#trouble;
    try {
      await this.#sync();
      return null;
    } catch (error) {
      this.#complain(error);
      return factOf(error);
    }
  }

  #sync(): Promise<void> {
    const file = this.#file;
    if (file === null) return Promise.resolve();
    const syncing = new Promise<void>((resolve, reject) => {
      fdatasync(file, (error) => (error === null ? resolve() : reject(error)));
    });
    this.#syncing = syncing.catch(() => undefined);
    return syncing;
  }

  #complain(error: unknown): void {
    this.#failed++;
    this.#trouble = cannot(`save bans in ${this.#directory}`, error).message;
    this.#warn(this.#trouble);
  }

  #append(changes: Changes): void | Promise<void> {
    if (this.#file === null) return this.#rewrite();
    const writer = this.#writer;
    const at = this.#clock.now();
    changes.walk((change) => {
      if (change.kind === "lift") writer.unban(change.ban, { by: change.by, at });
      else writer.ban(change.ban);
    });
    this.#write(writer.take());
    this.#records += changes.size;
    if (this.#records > Math.max(2 * this.#book.size + SLACK, this.#patience)) return this.#shrink();
  }

  /** Everything until now is in the old file, so that what is kept of it ends as the book is. */
  async #shrink(): Promise<void> {
    try {
      await this.#rewrite({ keepsRecent: true });
    } catch (error) {
      // Only its size is at stake: no change is offered again, and it is tried again when the file has grown as much once more.
      this.#failed++;
      this.#warn(`${cannot(`rewrite ${this.#path}`, error).message}; it grows`);
      this.#patience = this.#records + this.#book.size + SLACK;
    }
  }

  #write(bytes: Uint8Array): void {
    const file = this.#file as number;
    if (this.#torn) writeWhole(file, LINE_END);
    this.#torn = true;
    writeWhole(file, bytes);
    this.#torn = false;
    this.#trouble = null;
  }

  /** As the unban of a ban that was not there. */
  #resetLine({ prefix, at }: Unallowed): Uint8Array {
    const writer = new RecordWriter();
    const ban = { prefix, target: "", jail: "", reason: "", since: at, until: at, origin: "" };
    writer.unban(ban, { by: "operator", at });
    return writer.take();
  }

  #writeNoted(): void {
    if (this.#noted.length === 0 || this.#isRewriting || this.#file === null) return;
    const noted = this.#noted;
    this.#noted = [];
    try {
      for (const line of noted) this.#write(line);
      this.#records += noted.length;
    } catch (error) {
      this.#complain(error);
      this.#reader.invalidate();
    }
  }

  async #rewrite({ keepsRecent = false } = {}): Promise<void> {
    this.#isRewriting = true;
    const file = this.#file;
    const isKept = keepsRecent && file !== null && fstatSync(file).size - this.#recent <= MOST_RECENT;
    const recent = isKept ? contentOf(file, this.#recent) : NO_LINES;
    await this.#writeAll(recent).finally(() => (this.#isRewriting = false));
  }

  async #writeAll(recent: Iterable<string>): Promise<void> {
    const head = [...headOf(this.#ended, allowLines(this.#unallowed, this.#allowed()))];
    let records = 0;
    let hasRecent = false;
    const book = this.#book;
    const lines = function* (): Generator<string> {
      yield* head;
      for (const piece of recent) {
        hasRecent = true;
        yield piece;
      }
      // The book changes during the walk: such a change may be in the file already, and is appended again.
      yield* bansOf(book.bans(), () => records++);
    };
    await replaceFile(this.#path, lines());
    const before = this.#file;
    this.#file = openSync(this.#path, constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW);
    this.#recent = hasRecent ? Buffer.byteLength(head.join("")) : fstatSync(this.#file).size;
    if (before !== null) void this.#syncing.then(() => closeSync(before));
    this.#records = records;
    this.#patience = 0;
    this.#torn = false;
    this.#trouble = null;
  }
}

const NONE = { ended: [], unallowed: [] };
const NO_LINES: readonly string[] = [];
/** In bytes; some 2,000,000 changes. More come together only when the counters cannot be saved for long, which `status` says. */
const MOST_RECENT = 32 << 20;

/** Changes written at once. */
const PIECE = 8000;
/** Time a change waits for others, so that they share one write. */
const SOON: Duration = 0.1 * SECOND;
/** Changes beyond twice the active bans before the file is rewritten. */
const SLACK = 10_000;

function* headOf(ended: readonly EndedBan[], allows: Iterable<string>): Generator<string> {
  yield HEAD_LINE;
  yield* allows;
  const writer = new RecordWriter();
  for (const { ban, end } of ended) {
    writer.ban(ban);
    writer.unban(ban, end);
  }
  yield text(writer.take());
}

/** Yields some lines at a time. */
function* bansOf(bans: Iterable<Ban>, count: () => void): Generator<string> {
  const writer = new RecordWriter();
  for (const ban of bans) {
    count();
    writer.ban(ban);
    if (writer.length > LINES_BYTES) yield text(writer.take());
  }
  yield text(writer.take());
}

/** From a byte to what is the end now, some lines at a time. */
function* contentOf(file: number, from: number): Generator<string> {
  const decoder = new StringDecoder("utf8");
  const bytes = Buffer.allocUnsafe(LINES_BYTES);
  const end = fstatSync(file).size;
  for (let at = from; at < end;) {
    const count = readSync(file, bytes, 0, Math.min(bytes.length, end - at), at);
    if (count === 0) break;
    at += count;
    yield decoder.write(bytes.subarray(0, count));
  }
}

/** What was taken back first: it may have been allowed again. */
function* allowLines(unallowed: Iterable<Unallowed>, allowed: Iterable<Allowed>): Generator<string> {
  for (const one of unallowed) yield allowLine({ kind: "unallow", ...one });
  for (const one of allowed) yield allowLine({ kind: "allow", ...one });
}

const LINES_BYTES = 8 * 1024;
const LINE_END = Buffer.from("\n");

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8");
}

/** Null when the disk does not say. */
function sizeOf(file: number): number | null {
  try {
    return fstatSync(file).size;
  } catch {
    return null;
  }
}

/** A nearly full disk takes a part of the bytes. */
function writeWhole(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
}
