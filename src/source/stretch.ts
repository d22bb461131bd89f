import type { Readable } from "node:stream";

/**
 * Keeps one stream from blocking the event loop. libuv delivers up to 32 chunks in a row; after 8 ms of work the stream is
 * paused until the next turn of the loop.
 */
export class Stretch {
  readonly #stream: Readable;
  #used = 0;
  #turn: NodeJS.Immediate | undefined;

  constructor(stream: Readable) {
    this.#stream = stream;
  }

  work(job: () => void): void {
    const started = performance.now();
    job();
    this.#used += performance.now() - started;
    // All work before the next turn of the loop counts as one stretch.
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#used = 0;
      if (this.#stream.isPaused()) this.#stream.resume();
    });
    if (this.#used > LONGEST) this.#stream.pause();
  }

  end(): void {
    clearImmediate(this.#turn);
  }
}

/** Handles a program's output in stretches. */
export function inStretches(stream: Readable, take: (chunk: Buffer) => void): (chunk: Buffer) => void {
  const stretch = new Stretch(stream);
  stream.once("close", () => stretch.end());
  return (chunk) => stretch.work(() => take(chunk));
}

/** In ms. */
const LONGEST = 8;
