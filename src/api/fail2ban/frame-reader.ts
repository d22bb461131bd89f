import { LIMITS } from "../../core/limits.ts";

/** Cuts a connection's bytes into messages: fail2ban ends each with END. Keeps one message at most. */
export class Fail2banFrames {
  readonly #most: number;
  #bytes = Buffer.alloc(0);
  #length = 0;

  constructor(most: number = LIMITS.fail2banMessage.value) {
    this.#most = most;
  }

  /** Whether the beginning of a message is here, and its end is not. */
  get isPartial(): boolean {
    return this.#length > 0;
  }

  /** The messages that these bytes complete. Null when one is longer than the bound; the reader is of no use then. */
  push(bytes: Buffer): readonly Buffer[] | null {
    // The terminator may have begun in earlier bytes.
    let from = Math.max(0, this.#length - END.length + 1);
    this.#append(bytes);
    const messages: Buffer[] = [];
    let start = 0;
    for (;;) {
      const end = this.#bytes.subarray(0, this.#length).indexOf(END, from);
      if ((end < 0 ? this.#length - END.length : end) - start > this.#most) return null;
      if (end < 0) break;
      messages.push(Buffer.from(this.#bytes.subarray(start, end)));
      start = from = end + END.length;
    }
    this.#bytes.copyWithin(0, start, this.#length);
    this.#length -= start;
    return messages;
  }

  #append(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    bytes.copy(this.#bytes, this.#length);
    this.#length = length;
  }
}

export const END = Buffer.from("<F2B_END_COMMAND>");
/** The client closes the connection. */
export const CLOSE = Buffer.from("<F2B_CLOSE_COMMAND>");
