import { StoplogError } from "../../core/errors.ts";

/** Reads the bytes of a pickle from their beginning, and the opcodes that have one value without parts. */
export class PickleScalars {
  readonly bytes: Buffer;
  at = 0;

  /** By opcode, in the order of the protocols. */
  readonly #scalars: Readonly<Record<string, () => Scalar>> = {
    N: () => null,
    I: () => this.#integerOrBoolean(),
    L: () => this.decimalLine(),
    F: () => this.#floatLine(),
    S: () => unescaped(this.#line().toString("latin1")),
    V: () => unicodeUnescaped(this.#line().toString("latin1")),
    K: () => this.byte(),
    M: () => this.unsigned(2),
    J: () => this.take(4).readInt32LE(0),
    G: () => this.take(8).readDoubleBE(0),
    U: () => this.#text(this.byte()),
    T: () => this.#text(this.unsigned(4)),
    X: () => this.#text(this.unsigned(4)),
    "\x88": () => true,
    "\x89": () => false,
    "\x8a": () => this.#long(this.byte()),
    "\x8b": () => this.#long(this.unsigned(4)),
    C: () => Uint8Array.from(this.take(this.byte())),
    B: () => Uint8Array.from(this.take(this.unsigned(4))),
    "\x8c": () => this.#text(this.byte()),
    "\x8d": () => this.#text(this.unsigned(8)),
    "\x8e": () => Uint8Array.from(this.take(this.unsigned(8))),
  };

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  byte(): number {
    return this.take(1)[0] ?? 0;
  }

  /** The next so many bytes, not copied. */
  take(length: number): Buffer {
    if (length > this.bytes.length - this.at) throw unreadable("it is cut off");
    return this.bytes.subarray(this.at, (this.at += length));
  }

  /** Little-endian; eight bytes only up to 2^53. */
  unsigned(length: 1 | 2 | 4 | 8): number {
    const bytes = this.take(length);
    if (length < 8) return bytes.readUIntLE(0, length);
    return safe(bytes.readBigUInt64LE(0));
  }

  decimalLine(): number {
    const text = this.#line().toString("latin1").replace(/L$/, "");
    if (!/^-?\d{1,20}$/.test(text)) throw unreadable("an integer is not decimal");
    return safe(BigInt(text));
  }

  /** Undefined for an opcode of another kind. */
  scalar(opcode: string): Scalar | undefined {
    return this.#scalars[opcode]?.();
  }

  #line(): Buffer {
    const end = this.bytes.indexOf(0x0a, this.at);
    if (end < 0) throw unreadable("it is cut off");
    const line = this.bytes.subarray(this.at, end);
    this.at = end + 1;
    return line;
  }

  #text(length: number): string {
    return this.take(length).toString("utf8");
  }

  /** Protocol 0 and 1 write True as I01. */
  #integerOrBoolean(): number | boolean {
    const two = this.bytes.toString("latin1", this.at, this.at + 3);
    const value = this.decimalLine();
    return two === "01\n" || two === "00\n" ? value === 1 : value;
  }

  #floatLine(): number {
    const text = this.#line().toString("latin1");
    if (!/^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$|^[-+]?(inf|nan)$/i.test(text))
      throw unreadable("a number is not decimal");
    const named = /^([-+]?)inf$/i.exec(text);
    if (named === null) return Number(text);
    return named[1] === "-" ? -Infinity : Infinity;
  }

  /** Two's complement, little-endian. */
  #long(length: number): number {
    if (length > 8) throw unreadable(TOO_LARGE);
    const bytes = Buffer.alloc(8, length > 0 && (this.bytes[this.at + length - 1] ?? 0) > 0x7f ? 0xff : 0);
    this.take(length).copy(bytes);
    return safe(bytes.readBigInt64LE(0));
  }
}

export type Scalar = null | boolean | number | string | Uint8Array;

export function unreadable(fact: string): StoplogError {
  return new StoplogError(`Cannot read the message: ${fact}`);
}

export const BROKEN = "it is not a pickle";
const TOO_LARGE = "an integer is larger than 2^53";

function safe(value: bigint): number {
  if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) throw unreadable(TOO_LARGE);
  return Number(value);
}

/** A string of Python 2, as its `repr` writes it. */
function unescaped(text: string): string {
  const quoted = /^'(.*)'$|^"(.*)"$/s.exec(text);
  if (quoted === null) throw unreadable("a string has no quotes");
  const bytes = (quoted[1] ?? quoted[2] ?? "").replaceAll(
    /\\(?:x([0-9a-f]{2})|(.))/gis,
    (_, hex: string | undefined, character: string) =>
      hex === undefined ? (ESCAPES[character] ?? character) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, "latin1").toString("utf8");
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", r: "\r", t: "\t" };

function unicodeUnescaped(text: string): string {
  return text.replaceAll(/\\(?:u([0-9a-f]{4})|U([0-9a-f]{8}))/g, (_, short?: string, long?: string) => {
    const point = Number.parseInt(short ?? long ?? "", 16);
    if (point > 0x10ffff) throw unreadable("a character is not of Unicode");
    return String.fromCodePoint(point);
  });
}
