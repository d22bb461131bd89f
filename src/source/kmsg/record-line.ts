import { LF } from "../../core/ascii.ts";
import type { Instant } from "../../core/time.ts";

/**
 * Writes records as lines in the format of rsyslog's kern.log:
 *
 *      2026-11-20T14:44:48.123456Z box kernel: text LF
 *
 * Decodes the kernel's `\xNN` escapes. LF, CR and NUL among them become spaces, so that a record cannot forge a second line.
 */
export class RecordLineWriter {
  readonly #from: Buffer;
  readonly #maxLine: number;
  #second = -1;
  #secondText = "";

  /** `maxLine` is in bytes, without the LF. */
  constructor(host: string, maxLine: number) {
    this.#from = Buffer.from(`Z ${hostWord(host)} kernel: `);
    this.#maxLine = maxLine;
  }

  /** Bytes needed for the line of a record with `length` bytes of text. */
  room(length: number): number {
    return Math.min(this.#maxLine, HEAD + this.#from.length + length) + 1;
  }

  /**
   * Writes a line with its LF to `to` at `at`; its escaped text is in `bytes`. Returns the full length of the line without
   * the LF, which is more than `maxLine` when the line was truncated.
   */
  write(to: Buffer, at: number, when: Instant, bytes: Uint8Array, { start, end }: Text): number {
    const limit = at + this.#maxLine;
    let o = at + to.write(this.#time(when), at, "latin1");
    o += this.#from.copy(to, o);
    for (let i = start; i < end; o++) {
      const escaped = bytes[i] === BACKSLASH && i + 3 < end ? byteOf(bytes, i) : -1;
      const byte = escaped < 0 ? bytes[i]! : escaped;
      if (o < limit) to[o] = byte === LF || byte === CR || byte === 0 ? SPACE : byte;
      i += escaped < 0 ? 1 : 4;
    }
    to[Math.min(o, limit)] = LF;
    return o - at;
  }

  #time(when: Instant): string {
    const second = Math.floor(when / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = new Date(second * 1000).toISOString().slice(0, 20);
    }
    return this.#secondText + String(Math.floor((when - second * 1000) * 1000)).padStart(6, "0");
  }
}

/** The range of a text; `end` is exclusive. */
interface Text {
  readonly start: number;
  readonly end: number;
}

/** The host name, or `localhost` when filters would not recognise it as one. */
function hostWord(host: string): string {
  return /^[\w.-]*\w$/.test(host) ? host : "localhost";
}

/** `2026-11-20T14:44:48.123456` */
const HEAD = 26;
const CR = 13;
const SPACE = 32;
const BACKSLASH = 92;

/** Decodes `\xNN` at `i`; -1 when it is not an escape. */
function byteOf(bytes: Uint8Array, i: number): number {
  if (bytes[i + 1] !== 0x78) return -1;
  const high = hex(bytes[i + 2]!);
  const low = hex(bytes[i + 3]!);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hex(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
