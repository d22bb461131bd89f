import { LF } from "../core/ascii.ts";
import type { LineSink } from "../core/batch.ts";
import { LIMITS } from "../core/limits.ts";
import type { SourceStats } from "./source.ts";

/** Default maximum length of a line, in bytes before its LF. */
export const DEFAULT_MAX_LINE = LIMITS.lineBytes.value;

/**
 * Finds the whole lines in a buffer and hands them to the sink in place, as one batch. The caller keeps the half line at the end:
 *
 *      start                                     consumed       end
 *        ├── line LF line LF … line LF ──────────────┼── half ───┤      half is at most `maxLine` bytes
 *        └────────── one batch, in place ────────────┘
 *
 * Of a line of more than `maxLine` bytes the first `maxLine` are delivered; the rest is skipped and counted. The cost is one
 * search for the last LF and one more for each `maxLine` bytes, whatever the number of lines.
 */
export class LineSplitter {
  readonly #sink: LineSink;
  readonly #stats: SourceStats;
  readonly maxLine: number;
  /** True in the middle of a line that is too long: everything up to the next LF is skipped. */
  skipping = false;

  constructor(sink: LineSink, stats: SourceStats, maxLine: number = DEFAULT_MAX_LINE) {
    this.#sink = sink;
    this.#stats = stats;
    this.maxLine = maxLine;
  }

  /**
   * Returns the offset of the first unconsumed byte; the next call must begin with the bytes from there on. Writes an LF into
   * `bytes` where it truncates a line.
   */
  split(bytes: Buffer, start: number, end: number, backlog = false): number {
    const from = this.skipping ? this.#skip(bytes, start, end) : start;
    const last = lastLf(bytes, from, end);
    const rest = last < 0 ? from : this.#deliverLines(bytes, from, last + 1, backlog);
    if (end - rest <= this.maxLine) return rest;
    this.#cut(bytes, rest, rest, end, backlog);
    this.skipping = true;
    return end;
  }

  /** Delivers the half line at the end of the input. `bytes` must have room for an LF at `end`. */
  flush(bytes: Buffer, start: number, end: number, backlog = false): void {
    if (end > start && !this.skipping) {
      bytes[end] = LF;
      this.#deliver(bytes, start, end + 1, backlog);
    }
    this.skipping = false;
  }

  /** Delivers the whole lines from `start` to `end`, which is one past an LF. Each step of the loop skips as many lines as fit into `maxLine`. */
  #deliverLines(bytes: Buffer, start: number, end: number, backlog: boolean): number {
    let batch = start;
    let line = start;
    while (end - line > this.maxLine + 1) {
      const lf = lastLf(bytes, line, line + this.maxLine + 1);
      if (lf >= 0) {
        line = lf + 1;
        continue;
      }
      const lineEnd = bytes.indexOf(LF, line + this.maxLine + 1);
      this.#cut(bytes, batch, line, lineEnd, backlog);
      batch = line = lineEnd + 1;
    }
    this.#deliver(bytes, batch, end, backlog);
    return end;
  }

  /** Delivers everything from `batch` to the bound of the long line at `line`. Sheds the rest of that line, up to `lineEnd`. */
  #cut(bytes: Buffer, batch: number, line: number, lineEnd: number, backlog: boolean): void {
    const bound = line + this.maxLine;
    bytes[bound] = LF;
    this.#stats.cut++;
    this.#stats.shedBytes += lineEnd - bound;
    this.#deliver(bytes, batch, bound + 1, backlog);
  }

  #skip(bytes: Buffer, start: number, end: number): number {
    const found = bytes.indexOf(LF, start);
    const lf = found < 0 || found >= end ? end : found;
    this.#stats.shedBytes += lf - start;
    if (lf === end) return end;
    this.skipping = false;
    return lf + 1;
  }

  #deliver(bytes: Buffer, start: number, end: number, backlog: boolean): void {
    if (start === end) return;
    this.#stats.bytes += end - start;
    this.#stats.batches++;
    this.#sink({ bytes, start, end, backlog, log: this });
  }
}

/** Splits a stream of chunks of any size into lines. Copies only the half line between two chunks. */
export class LineStream {
  readonly #splitter: LineSplitter;
  readonly #carry: Buffer;
  #carried = 0;

  constructor(sink: LineSink, stats: SourceStats, maxLine: number = DEFAULT_MAX_LINE) {
    this.#splitter = new LineSplitter(sink, stats, maxLine);
    this.#carry = Buffer.allocUnsafeSlow(maxLine + 1); // the half line, and its LF or the byte that makes it too long
  }

  /** Bytes of the half line at the end. */
  get pending(): number {
    return this.#carried;
  }

  /** As that of `LineSplitter`. */
  get skipping(): boolean {
    return this.#splitter.skipping;
  }

  set skipping(skipping: boolean) {
    this.#splitter.skipping = skipping;
  }

  push(chunk: Buffer, backlog = false): void {
    const start = this.#carried === 0 ? 0 : this.#completeCarried(chunk, backlog);
    const used = this.#splitter.split(chunk, start, chunk.length, backlog);
    this.#carried += chunk.copy(this.#carry, this.#carried, used);
  }

  /** Call at the end of the input: delivers a last line without an LF. */
  flush(backlog = false): void {
    this.#splitter.flush(this.#carry, 0, this.#carried, backlog);
    this.#carried = 0;
  }

  /** Completes the carried half line with the chunk's first bytes. Returns the offset of the chunk's next line. */
  #completeCarried(chunk: Buffer, backlog: boolean): number {
    const lf = chunk.indexOf(LF);
    const lineEnd = lf < 0 ? chunk.length : lf + 1;
    const taken = chunk.copy(this.#carry, this.#carried, 0, lineEnd);
    const filled = this.#carried + taken;
    this.#carried = filled - this.#splitter.split(this.#carry, 0, filled, backlog);
    return taken;
  }
}

/** The last LF in bytes[start…end), or -1. */
function lastLf(bytes: Buffer, start: number, end: number): number {
  if (end <= start) return -1; // lastIndexOf counts a negative offset from the end
  const at = bytes.lastIndexOf(LF, end - 1);
  return at < start ? -1 : at;
}
