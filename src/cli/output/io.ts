import type { Readable, Writable } from "node:stream";
import { cannot } from "../../core/errors.ts";

/** What a command uses of its process; a test passes its own. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether standard output is a terminal, read by a person. */
  readonly isTTY: boolean;
}

/** Done; a negative answer; could not. 255 is what fail2ban's programs say for the last two. */
export type ExitStatus = 0 | 1 | 2 | 255;
export const DONE: ExitStatus = 0;
export const NEGATIVE: ExitStatus = 1;
export const COULD_NOT: ExitStatus = 2;
export const FAIL2BANS: ExitStatus = 255;

/** Thrown when the reader of our output has gone, as `head` does. Not an error. */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}

/** Standard output: waits for a slow reader, and rejects when it cannot be written to. */
export class Output {
  readonly #stream: Writable;
  #trouble: Error | null = null;

  constructor(stream: Writable) {
    this.#stream = stream;
    // Never removed: a late error must not end the process with a stack trace.
    stream.on("error", this.#onError);
  }

  /** Resolves when the text is written, not merely queued. */
  async write(text: string): Promise<void> {
    if (this.#trouble !== null) throw this.#trouble;
    if (text === "") return;
    await new Promise<void>((done, fail) => {
      this.#stream.write(text, (error) => (error instanceof Error ? fail(translated(error)) : done()));
    });
  }

  /** Writes lines, many at a time. */
  async lines(lines: Iterable<string>): Promise<void> {
    let text = "";
    for (const line of lines) {
      text += `${line}\n`;
      if (text.length < WRITE_CHARACTERS) continue;
      await this.write(text);
      text = "";
    }
    await this.write(text);
  }

  readonly #onError = (error: Error): void => {
    this.#trouble = translated(error);
  };
}

const WRITE_CHARACTERS = 64 * 1024;

function translated(error: Error): Error {
  const code = (error as NodeJS.ErrnoException).code;
  const gone = code === "EPIPE" || code === "ERR_STREAM_DESTROYED";
  return gone ? new ReaderGone("The reader has gone") : cannot("write the output", error);
}
