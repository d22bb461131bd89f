import { createReadStream } from "node:fs";
import type { LineSink } from "../../core/batch.ts";
import { createGunzip } from "node:zlib";
import { LineStream } from "../line-splitter.ts";
import type { SourceStats } from "../source.ts";
import type { Gap } from "./gaps.ts";
import type { Place } from "./place.ts";
import { type RotatedFile, unreadOf } from "./rotated-files.ts";

/** Reads the unread parts of a file that is not written any more, also of a compressed one, from its start to its end. */
export class WholeFile {
  readonly #file: RotatedFile;
  readonly #stats: SourceStats;
  readonly #lines: LineStream;
  /** Unread parts in order; the last one has no end. */
  readonly #parts: Gap[];
  /** Offset of the next byte of the content. */
  #at = 0;
  #waiting: number;

  constructor(file: RotatedFile, sink: LineSink, stats: SourceStats, maxLine: number) {
    const { offset, skipping, gaps } = file.place;
    this.#file = file;
    this.#stats = stats;
    this.#lines = new LineStream(sink, stats, maxLine);
    this.#parts = [...gaps, { from: offset, to: Number.POSITIVE_INFINITY, skipping }];
    this.#waiting = unreadOf(file);
    stats.waitingBytes += this.#waiting;
  }

  /** Rejects with the system's or zlib's error; what is unread is shed then. */
  async read(signal: AbortSignal): Promise<void> {
    const { path, isCompressed } = this.#file;
    const file = createReadStream(path, { highWaterMark: CHUNK });
    const content = isCompressed ? file.pipe(createGunzip({ chunkSize: CHUNK })) : file;
    file.on("error", (error) => content.destroy(error));
    try {
      for await (const chunk of content) {
        if (signal.aborted) return;
        this.#take(chunk as Buffer);
      }
      this.#lines.flush(true);
      this.#parts.length = 0;
    } catch (thrown) {
      this.#stats.shedBytes += this.#waiting;
      this.#parts.length = 0;
      throw thrown;
    } finally {
      file.destroy();
      this.#stats.waitingBytes -= this.#waiting;
      this.#waiting = 0;
    }
  }

  /** Null when all is read. */
  place(): Place | null {
    const [first, ...others] = this.#parts;
    const last = this.#parts.at(-1);
    if (first === undefined || last === undefined) return null;
    const { skipping, pending } = this.#lines;
    const begun = this.#at > first.from ? { ...first, from: this.#at - pending, skipping } : first;
    const rest = others.length === 0 ? begun : last;
    const gaps = [begun, ...others].slice(0, -1);
    return { ...this.#file.place, offset: rest.from, skipping: rest.skipping, gaps };
  }

  #take(chunk: Buffer): void {
    let from = 0;
    while (from < chunk.length) {
      const part = this.#parts[0];
      if (part === undefined) return;
      const at = this.#at;
      const to = Math.min(chunk.length, from + Math.max(0, part.to - at));
      const skipped = Math.min(chunk.length, from + Math.max(0, part.from - at));
      if (skipped > from) {
        this.#at += skipped - from;
        from = skipped;
        continue;
      }
      if (at === part.from) this.#lines.skipping = part.skipping;
      // The stream may write into the buffer where it cuts a line.
      this.#lines.push(chunk.subarray(from, to), true);
      this.#at += to - from;
      this.#count(to - from);
      from = to;
      if (this.#at === part.to) this.#end();
    }
  }

  /** A part ended. */
  #end(): void {
    this.#lines.flush(true);
    this.#parts.shift();
  }

  #count(bytes: number): void {
    const counted = Math.min(bytes, this.#waiting);
    this.#waiting -= counted;
    this.#stats.waitingBytes -= counted;
  }
}

/** Bytes of one read: a few milliseconds of work. */
const CHUNK = 1 << 16;
