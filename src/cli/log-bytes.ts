import { createReadStream } from "node:fs";
import { pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { cannot, StoplogError } from "../core/errors.ts";
import type { Cli } from "./cli.ts";

/**
 * A log as bytes; `-` is standard input. What gzip compressed, as logrotate does, is unpacked. Throws a StoplogError for what cannot be
 * read, UTF-16 too: none of its lines would match.
 */
export async function* logBytes(file: string, cli: Cli): AsyncGenerator<Buffer> {
  const name = file === "-" ? "standard input" : file;
  const stream = file === "-" ? cli.io.stdin : createReadStream(file, { highWaterMark: READ_BYTES });
  try {
    const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const { value: first, done } = await chunks.next();
    if (done === true) return;
    if (isUtf16(first))
      throw new StoplogError(`Cannot read ${name}: it is UTF-16; convert it with iconv -f UTF-16 -t UTF-8`);
    const all = joined(first, chunks);
    yield* isGzip(first) ? unpacked(all) : all;
  } catch (error) {
    throw error instanceof StoplogError ? error : cannot(`read ${name}`, error);
  }
}

/** With the default of 64 KiB, reading takes most of the time. */
const READ_BYTES = 1024 * 1024;

/** RFC 1952: two bytes, and the method deflate. */
function isGzip(bytes: Buffer): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 8;
}

function isUtf16(bytes: Buffer): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
}

async function* joined(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  for (;;) {
    const { value, done } = await rest.next();
    if (done === true) return;
    yield value;
  }
}

function unpacked(bytes: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  // An error reaches the reader of the unpacked bytes.
  return pipeline(Readable.from(bytes), createGunzip({ chunkSize: READ_BYTES }), () => undefined);
}
