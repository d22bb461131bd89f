import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { StoplogError } from "../../core/errors.ts";
import type { LineSplitter } from "../line-splitter.ts";
import type { SourceStats } from "../source.ts";
import { Alarm } from "./alarm.ts";
import { Fingerprint } from "./fingerprint.ts";
import { Gaps, leapTarget, type OverloadRule } from "./gaps.ts";
import { KnownLines } from "./known-lines.ts";
import type { Place } from "./place.ts";

/** Result of one look at a file. */
export interface Look {
  /** True when there were new bytes. */
  readonly grew: boolean;
  /** True when more bytes wait: the limit on turns was reached. */
  readonly more: boolean;
  /** True when the path no longer names this file. */
  readonly moved: boolean;
}

/** Buffers to read into, which may overlap. */
export interface Rooms {
  readonly usual: Buffer;
  /** Has room for two of the longest lines. Only long lines need it: the more a look reads, the longer others wait. */
  readonly whole: Buffer;
}

/** Where reading starts in a newly opened file. `new`: at the beginning, of a file that did not exist when the source started. */
export type TailStart = "new" | "beginning" | "end" | Place;

/** What a tail needs. */
export interface TailParts {
  readonly splitter: LineSplitter;
  readonly stats: SourceStats;
  readonly overload: OverloadRule;
  /** Called when the file was truncated or rewritten after it had been read up to `place`. Returns true when the rest is read from a copy. */
  readonly onCut: (place: Place) => boolean;
}

/**
 * One open file, read as it grows. It is read through its descriptor, so it is read to its end even after a rename.
 * No bytes are kept between reads: `position` stays at the start of a half-written line, which is then read again.
 */
export class Tail {
  /** Device and inode. */
  readonly id: string;
  readonly fd: number;
  readonly isNew: boolean;
  readonly alarm = new Alarm();
  readonly fingerprint = new Fingerprint();
  path: string;
  /** Offset of the next line. */
  position = 0;
  /** Unread bytes at the last look, gaps included. */
  waiting = 0;
  /** True while older files of the same log are read: this one waits. */
  isHeld = false;
  /** Consecutive looks that found nothing. */
  quiet = 0;
  /** When the path was lost, or when the file last grew after that. Null while the file has a path. */
  lostAt: number | null = null;
  readonly #device: number;
  readonly #inode: number;
  readonly #splitter: LineSplitter;
  readonly #stats: SourceStats;
  readonly #overload: OverloadRule;
  readonly #onCut: (place: Place) => boolean;
  readonly #gaps: Gaps;
  readonly #known = new KnownLines();
  /** True from the moment the file was truncated without a copy until it has content: that may be the old one, rewritten. */
  #isRewritten = false;
  /** Offset up to which the last look has read. */
  #end = 0;
  /** The file's size at the last look. */
  #size = 0;
  #modified = -1;
  /** Whether the next line did not fit into the usual buffer. */
  #isLong = false;
  /** Lines before this offset are backlog: they were written before the file was opened. */
  readonly #backlogEnd: number;

  /** Throws a StoplogError for a path that is not a regular file, and the system's error for a file that cannot be opened. */
  constructor(path: string, parts: TailParts, chooseStart: (fd: number, found: Stats) => TailStart) {
    refuseOthers(path, statSync(path));
    // O_NONBLOCK: do not hang if the path has just become a FIFO. O_NOCTTY: never take a terminal.
    this.fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const found = fstatSync(this.fd);
      refuseOthers(path, found);
      this.path = path;
      this.#splitter = parts.splitter;
      this.#stats = parts.stats;
      this.#overload = parts.overload;
      this.#onCut = parts.onCut;
      this.#gaps = new Gaps(parts.overload.maxGaps);
      this.#device = found.dev;
      this.#inode = found.ino;
      this.id = fileId(found);
      const start = chooseStart(this.fd, found);
      this.isNew = start === "new";
      this.#backlogEnd = this.isNew ? 0 : found.size;
      if (start === "end") this.#seekEnd(found.size);
      else if (typeof start === "object") this.#seek(start);
      this.#end = this.position;
      // The file may be rewritten before it grows.
      this.#known.takeBefore(this.fd, this.position);
      // With a saved place, everything after it counts as growth. Without one, growth is unknown until the second look.
      this.#size = typeof start === "object" ? this.position : found.size;
      this.fingerprint.holds(this.fd);
    } catch (thrown) {
      closeSync(this.fd);
      throw thrown;
    }
  }

  /** Bytes in the gaps. */
  get later(): number {
    return this.#gaps.bytes;
  }

  /** Reads new bytes and delivers their lines, at most `turns` buffers. Throws the system's errors. */
  look(rooms: Rooms, turns: number): Look {
    const found = statSync(this.path, { throwIfNoEntry: false });
    const moved = found === undefined || found.ino !== this.#inode || found.dev !== this.#device;
    const { size, mtimeMs } = moved ? fstatSync(this.fd) : found;
    if (size === this.#end && mtimeMs === this.#modified) return { grew: false, more: false, moved };
    if (size < this.#end || !this.fingerprint.holds(this.fd) || !this.#known.holds(this.fd, this.position))
      this.#startAgain();
    if (this.#isRewritten) this.#skipKnown();
    this.#modified = mtimeMs;
    return { ...this.#read(rooms, turns, size), moved };
  }

  /** Call before the file is closed for good: delivers a last line without an LF. */
  finish(buffer: Buffer): void {
    const length = readSync(this.fd, buffer, 0, this.#splitter.maxLine, this.position);
    this.#splitter.flush(buffer, 0, length);
    this.position += length;
    this.waiting = this.#gaps.bytes;
  }

  /** Reads one buffer from the newest gap. Throws the system's errors. */
  readLater({ usual, whole }: Rooms): void {
    const gap = this.#gaps.newest;
    if (gap === null) return;
    const buffer = this.#isLong ? whole : usual;
    const expected = Math.min(buffer.length - 1, gap.to - gap.from); // the splitter may need room for an LF
    const length = readSync(this.fd, buffer, 0, expected, gap.from);
    if (length < expected || !this.fingerprint.holds(this.fd)) return this.#shedLater();
    const splitter = this.#splitter;
    const { skipping } = splitter;
    splitter.skipping = gap.skipping;
    let used = splitter.split(buffer, 0, length, true);
    if (gap.from + length === gap.to && used < length) {
      // The head of a line in which the leap found no LF: the leap skipped the rest of that line.
      splitter.flush(buffer, used, length, true);
      this.#stats.cut++;
      used = length;
    }
    this.#isLong = used === 0 && length > 0;
    this.#gaps.advance(gap.from + used, splitter.skipping);
    splitter.skipping = skipping;
    this.waiting -= used;
  }

  place(): Place {
    return {
      path: this.path,
      device: this.#device,
      inode: this.#inode,
      offset: this.position,
      fingerprint: this.fingerprint.save(),
      skipping: this.#splitter.skipping,
      gaps: this.#gaps.save(),
    };
  }

  /** Where reading begins in a file that took the place of this one, which was deleted: behind the last line that both have. Null for its start. */
  endIn(fd: number, size: number): number | null {
    const known = new KnownLines();
    const old = fstatSync(this.fd);
    if (old.nlink > 0) return null; // renamed: a rotation
    known.takeBefore(this.fd, old.size);
    return known.findEnd(fd, size);
  }

  close(): void {
    this.alarm.clear();
    closeSync(this.fd);
  }

  #read({ usual, whole }: Rooms, turns: number, size: number): Pick<Look, "grew" | "more"> {
    const target = leapTarget({ position: this.position, size, grew: size > this.#size }, this.#overload);
    this.#size = size;
    if (target !== null) this.#leap(whole, target, size);
    const before = this.#end;
    let more = true;
    for (let turn = 0; more && turn < turns; turn++) {
      const buffer = this.#isLong ? whole : usual;
      const length = readSync(this.fd, buffer, 0, buffer.length, this.position);
      this.#end = this.position + length;
      more = length === buffer.length;
      const backlog = this.position < this.#backlogEnd;
      const { cut } = this.#stats;
      const used = this.#splitter.split(buffer, 0, length, backlog);
      this.#isLong = used === 0 && more;
      // Where a line is cut, the splitter has written into the buffer.
      if (this.#stats.cut === cut) this.#known.take(buffer, 0, used);
      else this.#known.clear();
      this.position += used;
    }
    // Lines may have come after the check of the first bytes: without them the file would not be found again.
    if (this.fingerprint.isShorterThan(this.#end)) this.fingerprint.holds(this.fd);
    this.waiting = Math.max(0, Math.max(size, this.#end) - this.position) + this.#gaps.bytes;
    return { grew: this.#end !== before, more };
  }

  /** Continues at the first line that begins at or after `target`; the bytes before it become a gap. */
  #leap(buffer: Buffer, target: number, size: number): void {
    const length = readSync(this.fd, buffer, 0, Math.min(buffer.length, size - target), target - 1);
    const lf = buffer.subarray(0, length).indexOf(10);
    const to = lf < 0 ? target : target + lf;
    this.#stats.shedBytes += this.#gaps.leave({ from: this.position, to, skipping: this.#splitter.skipping });
    this.#stats.leaps++;
    this.#known.clear();
    // No LF: the line is too long anyway. Its head is in the gap, its rest is skipped here.
    this.#splitter.skipping = lf < 0;
    this.position = to;
  }

  #shedLater(): void {
    const bytes = this.#gaps.shed();
    this.#stats.shedBytes += bytes;
    this.waiting -= bytes;
  }

  /** The file was truncated or rewritten: its unread bytes are lost, unless there is a copy. */
  #startAgain(): void {
    if (this.#onCut(this.place())) this.waiting -= this.#gaps.shed();
    else {
      this.#isRewritten = true;
      this.#shedLater();
      this.#stats.shedBytes += Math.max(0, Math.max(this.#size, this.#end) - this.position);
    }
    this.position = 0;
    this.#end = 0;
    this.#size = 0;
    this.#splitter.skipping = false;
    this.fingerprint.forget();
    this.fingerprint.holds(this.fd);
  }

  /** Continues behind the last line that was read before. While the file is empty its content may still come. */
  #skipKnown(): void {
    const { size } = fstatSync(this.fd);
    if (size === 0) return;
    this.#isRewritten = false;
    this.position = this.#end = this.#known.findEnd(this.fd, size) ?? 0;
    this.#known.takeBefore(this.fd, this.position);
  }

  #seek({ offset, skipping, gaps }: Place): void {
    this.position = offset;
    this.#splitter.skipping = skipping;
    for (const gap of gaps) this.#stats.shedBytes += this.#gaps.leave(gap);
  }

  /** Moves to the start of a half line at the end: that line is delivered whole, or skipped if it is too long. */
  #seekEnd(size: number): void {
    const reach = Math.min(size, this.#splitter.maxLine);
    const bytes = Buffer.allocUnsafe(reach);
    const length = readSync(this.fd, bytes, 0, reach, size - reach);
    const lf = bytes.subarray(0, length).lastIndexOf(10);
    this.#splitter.skipping = lf < 0 && reach < size;
    this.position = lf < 0 ? (reach < size ? size : 0) : size - reach + lf + 1;
  }
}

export function fileId({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

function refuseOthers(path: string, found: Stats): void {
  if (!found.isFile()) throw new StoplogError(`Cannot follow ${path}: it is ${kindOf(found)}`);
}

function kindOf(found: Stats): string {
  if (found.isDirectory()) return "a directory";
  if (found.isFIFO()) return "a FIFO";
  return found.isSocket() ? "a socket" : "a device";
}
