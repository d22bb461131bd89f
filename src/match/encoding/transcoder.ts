import { LF } from "../../core/ascii.ts";
import type { LineBatch } from "../../core/batch.ts";
import type { Cuts } from "../cut/cuts.ts";
import { type Encoding, highBytes } from "./encodings.ts";

/**
 * Makes UTF-8, in which patterns are compiled, of lines in another encoding. A batch in ASCII is passed on as it is. The bytes are valid until
 * the next batch.
 */
export class Transcoder {
  readonly #high: readonly Uint8Array[];
  /** Lines of so many bytes may lack their end. Their length must stay, since it is how that is seen: their bytes above 127 become `?`. */
  readonly #long: number;
  #out: Buffer = Buffer.alloc(0);

  constructor(high: readonly Uint8Array[], long: number = Number.POSITIVE_INFINITY) {
    this.#high = high;
    this.#long = long;
  }

  of(batch: LineBatch): LineBatch {
    const { bytes, start, end } = batch;
    const first = firstHigh(bytes, start, end);
    if (first === end) return batch;
    const room = (end - start) * MOST_GROWTH;
    if (this.#out.length < room) this.#out = Buffer.allocUnsafeSlow(room);
    // From the beginning of the line: its length counts.
    const from = first === start ? start : bytes.lastIndexOf(LF, first) + 1;
    let at = bytes.copy(this.#out, 0, start, Math.max(from, start));
    for (let line = Math.max(from, start); line < end;) {
      const newline = bytes.indexOf(LF, line);
      const next = newline < 0 || newline >= end ? end : newline + 1;
      at = this.#line(bytes, line, next, at);
      line = next;
    }
    return { ...batch, bytes: this.#out, start: 0, end: at };
  }

  /** Writes one line at `at`; returns where the next one begins. */
  #line(bytes: Buffer, from: number, next: number, at: number): number {
    const out = this.#out;
    const isLong = next - from - 1 >= this.#long;
    for (let i = from; i < next; i++) {
      const byte = bytes[i] as number;
      if (byte < 128 || isLong) out[at++] = byte < 128 ? byte : QUESTION;
      else for (const one of this.#high[byte - 128] as Uint8Array) out[at++] = one;
    }
    return at;
  }
}

/** Null for an encoding whose lines are taken as they are. `cuts` are those of its source. */
export function transcoderFor(encoding: Encoding, { least }: Cuts): Transcoder | null {
  const high = highBytes(encoding);
  return high === null ? null : new Transcoder(high, least);
}

const QUESTION = 0x3f;
/** No single byte of these encodings takes more in UTF-8. */
const MOST_GROWTH = 3;

function firstHigh(bytes: Buffer, start: number, end: number): number {
  let i = start;
  while (i < end && (bytes[i] as number) < 128) i++;
  return i;
}
