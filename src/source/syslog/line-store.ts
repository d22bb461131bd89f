import { LF } from "../../core/ascii.ts";
import type { LineSink } from "../../core/batch.ts";
import type { SourceStats } from "../source.ts";
import { headOf, MessageWriter } from "./message-line.ts";

export interface LineStoreOptions {
  readonly maxLine: number;
  /** Written in place of the host in messages without one. */
  readonly host: string;
  /** Maximum size of the waiting lines, in bytes. */
  readonly capacity: number;
}

/**
 * Turns messages into lines, which wait here for the sink. The lines are stored in chunks; each chunk becomes one batch.
 * Bounded: when all chunks are full, the oldest chunk is shed and its lines are counted. In a flood the newest lines matter most.
 *
 *      add ──► [ being filled ] … [ full ] [ full ] ──► deliver
 *                                              └── shed when there are too many
 */
export class LineStore {
  readonly #sink: LineSink;
  readonly #stats: SourceStats;
  readonly #maxLine: number;
  readonly #writer: MessageWriter;
  readonly #chunkBytes: number;
  readonly #maxChunks: number;
  /** Oldest first; the last one is being filled. */
  readonly #chunks: Chunk[] = [];
  #spare: Chunk | null = null;
  #waiting = 0;

  constructor(sink: LineSink, stats: SourceStats, options: LineStoreOptions) {
    this.#sink = sink;
    this.#stats = stats;
    this.#maxLine = options.maxLine;
    this.#writer = new MessageWriter(Buffer.from(options.host), options.maxLine);
    this.#chunkBytes = Math.max(MIN_CHUNK, (options.maxLine + 1) * 2);
    this.#maxChunks = Math.max(2, Math.floor(options.capacity / this.#chunkBytes));
  }

  /** Bytes that wait for the sink. */
  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Adds the messages of a datagram. It has more than one where a line end is followed by a head like that of the first message; any other
   * line end is text of a message.
   */
  addDatagram(bytes: Uint8Array, start: number, end: number): void {
    let from = start;
    const head = headOf(bytes, start, end);
    if (head !== "none") {
      // Not indexOf, which would go on behind the message.
      for (let at = start; at + 1 < end; at++) {
        if (bytes[at] !== LF || headOf(bytes, at + 1, end) !== head) continue;
        this.add(bytes, from, at);
        from = at + 1;
      }
    }
    this.add(bytes, from, end);
  }

  /** Adds a message as a line. Ignores an empty message. */
  add(bytes: Uint8Array, start: number, end: number): void {
    const maxLine = this.#maxLine;
    let chunk = this.#chunks[this.#chunks.length - 1];
    if (chunk === undefined || chunk.end + maxLine >= this.#chunkBytes) chunk = this.#newChunk();
    this.#writer.aim(chunk.bytes, chunk.end);
    const length = this.#writer.write(bytes, start, end);
    if (length === 0) return;
    const written = Math.min(length, maxLine);
    if (length > maxLine) {
      this.#stats.cut++;
      this.#stats.shedBytes += length - maxLine;
    }
    chunk.bytes[chunk.end + written] = LF;
    chunk.end += written + 1;
    chunk.lines++;
    this.#waiting += written + 1;
  }

  /**
   * Delivers the chunks, oldest first, until nothing waits (returns true) or until `deadline`, in the time of performance.now().
   * Calls `between` after each chunk; it may add messages.
   */
  deliver(deadline: number, between: () => void = () => undefined): boolean {
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      this.#chunks.shift();
      const { bytes, end } = chunk;
      this.#waiting -= end;
      if (end > 0) {
        this.#stats.bytes += end;
        this.#stats.batches++;
        this.#sink({ bytes, start: 0, end, backlog: false });
      }
      this.#spare = chunk;
      between();
      if (this.#chunks.length > 0 && performance.now() > deadline) break;
    }
    this.#stats.waitingBytes = this.#waiting;
    return this.#chunks.length === 0;
  }

  #newChunk(): Chunk {
    if (this.#chunks.length >= this.#maxChunks) this.#shedOldest();
    const chunk = this.#spare ?? { bytes: Buffer.allocUnsafeSlow(this.#chunkBytes), end: 0, lines: 0 };
    this.#spare = null;
    chunk.end = 0;
    chunk.lines = 0;
    this.#chunks.push(chunk);
    return chunk;
  }

  #shedOldest(): void {
    const oldest = this.#chunks.shift();
    if (oldest === undefined) return;
    this.#stats.shed += oldest.lines;
    this.#stats.shedBytes += oldest.end;
    this.#waiting -= oldest.end;
    this.#spare = oldest;
  }
}

interface Chunk {
  readonly bytes: Buffer;
  end: number;
  lines: number;
}

const MIN_CHUNK = 1 << 16;
