import { readSync } from "node:fs";
import { LF } from "../../core/ascii.ts";
import { fnv1a } from "../../core/fnv1a.ts";

/**
 * The last lines that were read from a file, to find the place again when a program rewrites the whole log: an editor, `sed -i`, or one that keeps
 * only the newest lines.
 *
 *      before   a b c d │            read up to │
 *      now      b c d e              d is the last known line: reading continues at e
 *
 * Only lines with a time of day or seconds since 1970 count: others may come again with every rotation.
 */
export class KnownLines {
  readonly #bytes = Buffer.alloc(KEPT_BYTES);
  #length = 0;

  /** Takes the bytes that were read last. */
  take(bytes: Buffer, start: number, end: number): void {
    const from = Math.max(start, end - KEPT_BYTES);
    const keep = Math.max(0, Math.min(this.#length, KEPT_BYTES - (end - from)));
    this.#bytes.copyWithin(0, this.#length - keep, this.#length);
    bytes.copy(this.#bytes, keep, from, end);
    this.#length = keep + end - from;
  }

  /** Reads the last lines before an offset of an open file. */
  takeBefore(fd: number, offset: number): void {
    const length = Math.min(KEPT_BYTES, offset);
    this.#length = length === 0 ? 0 : readSync(fd, this.#bytes, 0, length, offset - length);
  }

  clear(): void {
    this.#length = 0;
  }

  /** Whether the file still has these bytes before the offset up to which it was read. */
  holds(fd: number, offset: number): boolean {
    const length = Math.min(this.#length, COMPARED_BYTES, offset);
    const read = readSync(fd, scratch, 0, length, offset - length);
    return (
      read === length && scratch.compare(this.#bytes, this.#length - length, this.#length, 0, length) === 0
    );
  }

  /** The offset behind the last known line of another content; null when it has none. Searches the last MiB. */
  findEnd(fd: number, size: number): number | null {
    const known = new Set<string>();
    for (const [start, end] of linesIn(this.#bytes, 0, this.#length))
      if (isDated(this.#bytes, start, end)) known.add(hashOf(this.#bytes.subarray(start, end)));
    if (known.size === 0 || size === 0) return null;
    const from = Math.max(0, size - SEARCHED_BYTES);
    const content = Buffer.allocUnsafe(size - from);
    const length = readSync(fd, content, 0, content.length, from);
    let last: number | null = null;
    for (const [start, end] of linesIn(content, 0, length))
      if (known.has(hashOf(content.subarray(start, end)))) last = from + end + 1;
    return last;
  }
}

/** Bytes of the last lines: some dozen lines of each file. */
const KEPT_BYTES = 4096;
const COMPARED_BYTES = 64;
const SEARCHED_BYTES = 1 << 20;
const scratch = Buffer.allocUnsafeSlow(COMPARED_BYTES);

/** Start and end of the whole lines; a first line of which the start is missing is never equal to another. */
function* linesIn(bytes: Buffer, start: number, end: number): Generator<readonly [number, number]> {
  for (let at = start; at < end;) {
    const lf = bytes.indexOf(LF, at);
    if (lf < 0 || lf >= end) return;
    yield [at, lf];
    at = lf + 1;
  }
}

function isDated(bytes: Buffer, start: number, end: number): boolean {
  return /\d:\d\d|\d{10}/.test(bytes.toString("latin1", start, end));
}

function hashOf(line: Uint8Array): string {
  return `${line.length} ${fnv1a(line, 0x811c9dc5)} ${fnv1a(line, 0x01000193)}`;
}
