import { LF } from "../core/ascii.ts";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { notAFile } from "../core/read-regular-file.ts";
import { bytesWords } from "../core/wording.ts";

/**
 * Yields the lines of a regular file without their ends, those of one read at a time: other work gets its turn, and only a piece of the file is
 * in memory. A line over 16 MiB comes in parts. Calls `onLarge` once when the file has more than a megabyte. Rejects with the file system's
 * error, or a sentence about what is at the path instead of a file: a pipe would block, and a device may never end.
 */
export async function* readLines(path: string, onLarge?: () => void): AsyncGenerator<readonly string[]> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  let buffer: Buffer = Buffer.allocUnsafe(READ_BYTES);
  /** Bytes of an unfinished line at the start of the buffer. */
  let begun = 0;
  let total = 0;
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new Error(notAFile(found));
    if (found.size > MOST_FILE_BYTES) throw new Error(`it is larger than ${bytesWords(MOST_FILE_BYTES)}`);
    for (;;) {
      if (begun === buffer.length) buffer = roomier(buffer);
      const { bytesRead } = await file.read(buffer, begun, Math.min(READ_BYTES, buffer.length - begun), null);
      if (bytesRead === 0) break;
      if (total <= LARGE && total + bytesRead > LARGE) onLarge?.();
      total += bytesRead;
      const end = begun + bytesRead;
      const last = buffer.subarray(0, end).lastIndexOf(LF);
      if (last < 0 && end < MOST_BYTES) {
        begun = end;
        continue;
      }
      yield buffer.toString("utf8", 0, last < 0 ? end : last).split("\n");
      buffer.copyWithin(0, last < 0 ? end : last + 1, end);
      begun = last < 0 ? 0 : end - last - 1;
    }
    if (begun > 0) yield [buffer.toString("utf8", 0, begun)];
  } finally {
    await file.close();
  }
}

/** Some hundred lines: a few milliseconds of work for the consumer. */
const READ_BYTES = 32 * 1024;
const MOST_BYTES = 16 * 1024 * 1024;
const LARGE = 1024 * 1024;
/** Several times what a full book takes. A sparse file of terabytes would hold up the start for hours. */
const MOST_FILE_BYTES = 8 * 2 ** 30;

function roomier(buffer: Buffer): Buffer {
  const more = Buffer.allocUnsafe(buffer.length * 2);
  buffer.copy(more);
  return more;
}
