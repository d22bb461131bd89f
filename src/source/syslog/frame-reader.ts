import { LF } from "../../core/ascii.ts";
import { LIMITS } from "../../core/limits.ts";
import type { SourceStats } from "../source.ts";

/** The sender broke the framing: the connection is useless from here on. */
export class FramingError extends Error {}

/**
 * Splits a TCP stream into syslog messages (RFC 6587). Each frame may use either method: octet counting if it begins with
 * digits, a space and `<`; otherwise it ends at the LF.
 *
 *      42 <34>Oct 11 …           <34>Oct 11 … LF
 *
 * Bounded: of a longer message the first `maxMessage` bytes are kept; the rest is skipped and counted.
 */
export class FrameReader {
  readonly #onMessage: (bytes: Buffer, start: number, end: number) => void;
  readonly #stats: SourceStats;
  readonly #maxMessage: number;
  #carry: Buffer = NOTHING;
  /** Bytes to skip; Infinity means up to the next LF. */
  #skip = 0;

  constructor(
    maxMessage: number,
    stats: SourceStats,
    onMessage: (bytes: Buffer, start: number, end: number) => void,
  ) {
    this.#maxMessage = maxMessage;
    this.#stats = stats;
    this.#onMessage = onMessage;
  }

  /** True in the middle of a message. */
  get partial(): boolean {
    return this.#carry.length > 0 || this.#skip > 0;
  }

  /** Throws a FramingError for a length above `LIMITS.messageBytes`. */
  push(chunk: Buffer): void {
    const bytes = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk]);
    let at = 0;
    while (at < bytes.length) {
      const next = this.#skip > 0 ? this.#skipSome(bytes, at) : this.#frame(bytes, at);
      if (next < 0) break;
      at = next;
    }
    this.#carry = at === bytes.length ? NOTHING : Buffer.from(bytes.subarray(at));
  }

  /** Call when the sender closed: delivers a last message without an LF, and sheds a counted message that is incomplete. */
  end(): void {
    const carried = this.#carry;
    this.#carry = NOTHING;
    if (carried.length === 0) return;
    if (/^\d+( <|$)/.test(carried.toString("latin1", 0, MAX_DIGITS + 2))) {
      this.#stats.shed++;
      this.#stats.shedBytes += carried.length;
    } else this.#onMessage(carried, 0, carried.length);
  }

  /** Reads one message from `at`. Returns the offset of the next one, or -1 when the message is incomplete. */
  #frame(bytes: Buffer, at: number): number {
    const length = countedLength(bytes, at);
    if (length === UNKNOWN_YET) return -1;
    if (length === NOT_COUNTED) return this.#line(bytes, at);
    const start = bytes.indexOf(SPACE, at) + 1;
    const taken = Math.min(length, this.#maxMessage);
    if (bytes.length < start + taken) return -1;
    this.#onMessage(bytes, start, start + taken);
    this.#skip = length - taken;
    return start + taken;
  }

  #line(bytes: Buffer, at: number): number {
    const lf = bytes.indexOf(LF, at);
    if (lf < 0 && bytes.length - at <= this.#maxMessage) return -1;
    const end = lf < 0 ? bytes.length : lf;
    const shown = Math.min(end, at + this.#maxMessage);
    this.#stats.shedBytes += end - shown;
    this.#onMessage(bytes, at, shown);
    if (lf < 0) this.#skip = Infinity;
    return lf < 0 ? end : lf + 1;
  }

  #skipSome(bytes: Buffer, at: number): number {
    const lf = this.#skip === Infinity ? bytes.indexOf(LF, at) : -1;
    const skipped = lf >= 0 ? lf - at : Math.min(this.#skip, bytes.length - at);
    this.#stats.shedBytes += skipped;
    this.#skip = lf >= 0 ? 0 : this.#skip - skipped;
    return at + skipped + (lf >= 0 ? 1 : 0);
  }
}

const SPACE = 32;
const LESS = 60;
const NOTHING: Buffer = Buffer.alloc(0);
const UNKNOWN_YET = -1;
const NOT_COUNTED = -2;
const MAX_DIGITS = 10;

/** The octet count at the start of a frame, or NOT_COUNTED, or UNKNOWN_YET when more bytes are needed. */
function countedLength(bytes: Buffer, at: number): number {
  let length = 0;
  let i = at;
  for (; i < bytes.length && i - at < MAX_DIGITS; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) break;
    length = length * 10 + digit;
  }
  if (i === at || bytes[at] === 48) return NOT_COUNTED;
  if (i === bytes.length) return i - at < MAX_DIGITS ? UNKNOWN_YET : NOT_COUNTED;
  if (bytes[i] !== SPACE) return NOT_COUNTED;
  if (i + 1 === bytes.length) return UNKNOWN_YET;
  if (bytes[i + 1] !== LESS) return NOT_COUNTED;
  if (length > LIMITS.messageBytes.value) throw new FramingError(`message length ${length} is too large`);
  return length;
}
