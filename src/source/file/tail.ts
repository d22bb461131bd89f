import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from "node:fs";
import { StoplogError } from "../../core/errors.ts";
import type { LineSplitter } from "../line-splitter.ts";
import type { SourceStats } from "../source.ts";
import { Alarm } from "./alarm.ts";
import { Fingerprint } from "./fingerprint.ts";
import { Gaps, leapTarget, type OverloadRule } from "./gaps.ts";
import type { Place } from "./place.ts";

/** What one look at a file gave. */
export interface Look {
  /** There were bytes that had not been seen. */
  readonly grew: boolean;
  /** There are more; the turn was over. */
  readonly more: boolean;
  /** Its path no longer leads to it. */
  readonly moved: boolean;
}

/** Where a newly opened file is read from; `new` is the beginning of one that was not there when we came. */
export type TailStart = "new" | "beginning" | "end" | Place;

/** What a tail works with. */
export interface TailParts {
  readonly splitter: LineSplitter;
  readonly stats: SourceStats;
  readonly overload: OverloadRule;
  /** The file was cut or written anew, and was read up to this place: true when the rest is read from a copy. */
  readonly onCut: (place: Place) => boolean;
}

/**
 * One open file that is read as it grows, by its descriptor, so that it is read to its end wherever it is renamed to.
 * Nothing is kept between reads: `position` stays at the start of a half-written line, which is read again.
 */
export class Tail {
  /** Device and inode. */
  readonly id: string;
  readonly fd: number;
  readonly isNew: boolean;
  readonly alarm = new Alarm();
  readonly fingerprint = new Fingerprint();
  path: string;
  /** Where the next line starts. */
  position = 0;
  /** Bytes known to be unread, gaps included. */
  waiting = 0;
  /** Looks in a row that found nothing. */
  quiet = 0;
  /** When its path was lost, and last when it grew after that; null while it has one. */
  lostAt: number | null = null;
  readonly #device: number;
  readonly #inode: number;
  readonly #splitter: LineSplitter;
  readonly #stats: SourceStats;
  readonly #overload: OverloadRule;
  readonly #onCut: (place: Place) => boolean;
  readonly #gaps: Gaps;
  /** As far as the last look has read. */
  #end = 0;
  /** The file's size at the last look. */
  #size = 0;
  #modified = -1;
  /** What lies before this was written before we came. */
  readonly #backlogEnd: number;

  /** Throws a sentence for what is no file, and the system's error for what cannot be opened. */
  constructor(path: string, parts: TailParts, chooseStart: (fd: number, found: Stats) => TailStart) {
    refuseOthers(path, statSync(path));
    // Without waiting, should it have become a FIFO just now; and never as our terminal.
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
      // From a saved place on it has grown since we left; of one that is new to us nobody knows yet.
      this.#size = typeof start === "object" ? this.position : found.size;
      this.fingerprint.holds(this.fd);
    } catch (thrown) {
      closeSync(this.fd);
      throw thrown;
    }
  }

  /** Bytes that were left for later. */
  get later(): number {
    return this.#gaps.bytes;
  }

  /** Reads what is new into `buffer` and on to the sink, at most `turns` times. Throws the system's errors. */
  look(buffer: Buffer, turns: number): Look {
    const found = statSync(this.path, { throwIfNoEntry: false });
    const moved = found === undefined || found.ino !== this.#inode || found.dev !== this.#device;
    const { size, mtimeMs } = moved ? fstatSync(this.fd) : found;
    if (size === this.#end && mtimeMs === this.#modified) return { grew: false, more: false, moved };
    if (size < this.#end || !this.fingerprint.holds(this.fd)) this.#startAgain();
    this.#modified = mtimeMs;
    return { ...this.#read(buffer, turns, size), moved };
  }

  /** The end of the file's life: what is left after the last LF is a line too. */
  finish(buffer: Buffer): void {
    const length = readSync(this.fd, buffer, 0, this.#splitter.maxLine, this.position);
    this.#splitter.flush(buffer, 0, length);
    this.position += length;
    this.waiting = this.#gaps.bytes;
  }

  /** Reads a part of what was left for later. Throws the system's errors. */
  readLater(buffer: Buffer): void {
    const gap = this.#gaps.newest;
    if (gap === null) return;
    const wanted = Math.min(buffer.length - 1, gap.to - gap.from); // the splitter may need room for an LF
    const length = readSync(this.fd, buffer, 0, wanted, gap.from);
    if (length < wanted || !this.fingerprint.holds(this.fd)) return this.#shedLater();
    const splitter = this.#splitter;
    const { skipping } = splitter;
    splitter.skipping = gap.skipping;
    let used = splitter.split(buffer, 0, length, true);
    if (gap.from + length === gap.to && used < length) {
      // The head of a line that is longer than what a leap looks through: its rest was skipped there.
      splitter.flush(buffer, used, length, true);
      this.#stats.cut++;
      used = length;
    }
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

  close(): void {
    this.alarm.clear();
    closeSync(this.fd);
  }

  #read(buffer: Buffer, turns: number, size: number): Pick<Look, "grew" | "more"> {
    const target = leapTarget({ position: this.position, size, grew: size > this.#size }, this.#overload);
    this.#size = size;
    if (target !== null) this.#leap(buffer, target, size);
    const before = this.#end;
    let more = true;
    for (let turn = 0; more && turn < turns; turn++) {
      const length = readSync(this.fd, buffer, 0, buffer.length, this.position);
      this.#end = this.position + length;
      more = length === buffer.length;
      const backlog = this.position < this.#backlogEnd;
      this.position += this.#splitter.split(buffer, 0, length, backlog);
    }
    this.waiting = Math.max(0, Math.max(size, this.#end) - this.position) + this.#gaps.bytes;
    return { grew: this.#end !== before, more };
  }

  /** Goes on at the first line that begins at or after `target`; what lies before it is left for later. */
  #leap(buffer: Buffer, target: number, size: number): void {
    const length = readSync(this.fd, buffer, 0, Math.min(buffer.length, size - target), target - 1);
    const lf = buffer.subarray(0, length).indexOf(10);
    const to = lf < 0 ? target : target + lf;
    this.#stats.shedBytes += this.#gaps.leave({ from: this.position, to, skipping: this.#splitter.skipping });
    this.#stats.leaps++;
    // Without an LF it is a line that is too long anyway: its head belongs to the gap.
    this.#splitter.skipping = lf < 0;
    this.position = to;
  }

  #shedLater(): void {
    const bytes = this.#gaps.shed();
    this.#stats.shedBytes += bytes;
    this.waiting -= bytes;
  }

  /** Cut to nothing or written anew: what was not read of it is lost, unless there is a copy. */
  #startAgain(): void {
    if (this.#onCut(this.place())) this.waiting -= this.#gaps.shed();
    else {
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

  #seek({ offset, skipping, gaps }: Place): void {
    this.position = offset;
    this.#splitter.skipping = skipping;
    for (const gap of gaps) this.#stats.shedBytes += this.#gaps.leave(gap);
  }

  /** To the start of the half line at the end, so that it is delivered whole, or skipped when it is too long. */
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
