import type { Readable, Writable } from "node:stream";
import { cannot } from "../../core/errors.ts";

/** What a command sees of the process around it, so that a test can run one inside its own. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Whether standard output is a terminal, read by a person. */
  readonly isTTY: boolean;
}

/** Done; a negative answer; could not. */
export type ExitStatus = 0 | 1 | 2;
export const DONE: ExitStatus = 0;
export const NEGATIVE: ExitStatus = 1;
export const COULD_NOT: ExitStatus = 2;

/** Thrown when whoever read our output has gone away, as `head` does: the rest is not wanted, and nothing is wrong. */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}

/** Standard output that waits while its reader is slow, and says so when it cannot be written to. */
export class Output {
  readonly #stream: Writable;
  #trouble: Error | null = null;

  constructor(stream: Writable) {
    this.#stream = stream;
    // Never taken away again: an error that comes late must not end the process with a stack.
    stream.on("error", this.#onError);
  }

  /** Resolves when the text is handed on, not merely queued: at most one text waits at a time. */
  async write(text: string): Promise<void> {
    if (this.#trouble !== null) throw this.#trouble;
    if (text === "") return;
    await new Promise<void>((done, fail) => {
      this.#stream.write(text, (error) => (error instanceof Error ? fail(translated(error)) : done()));
    });
  }

  /** Each line ended by LF; few writes for many lines. */
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
