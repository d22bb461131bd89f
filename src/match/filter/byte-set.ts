/**
 * A set of byte values. Character classes are computed as sets and then written as a JavaScript class, so negation, `\S` within a class
 * and case-insensitive letters are exact for bytes.
 */
export class ByteSet {
  readonly #has = new Uint8Array(256);
  #members: number[] | null = null;

  static of(...parts: readonly (number | readonly [number, number])[]): ByteSet {
    const set = new ByteSet();
    for (const part of parts) {
      if (typeof part === "number") set.add(part);
      else set.addRange(part[0], part[1]);
    }
    return set;
  }

  has(byte: number): boolean {
    return this.#has[byte] === 1;
  }

  add(byte: number): void {
    this.#has[byte] = 1;
    this.#members = null;
  }

  addRange(from: number, to: number): void {
    this.#has.fill(1, from, to + 1);
    this.#members = null;
  }

  addAll(other: ByteSet): void {
    for (let byte = 0; byte < 256; byte++) if (other.has(byte)) this.add(byte);
  }

  complement(): ByteSet {
    const set = new ByteSet();
    for (let byte = 0; byte < 256; byte++) if (!this.has(byte)) set.add(byte);
    return set;
  }

  /** Adds the other case of every ASCII letter in the set. */
  foldCase(): void {
    for (let upper = 65; upper <= 90; upper++) {
      if (this.has(upper)) this.add(upper + 32);
      else if (this.has(upper + 32)) this.add(upper);
    }
  }

  get size(): number {
    return this.members().length;
  }

  /** The bytes in the set, ascending. Cached until the set changes. */
  members(): readonly number[] {
    if (this.#members === null) {
      this.#members = [];
      for (let byte = 0; byte < 256; byte++) if (this.has(byte)) this.#members.push(byte);
    }
    return this.#members;
  }

  /** As a JavaScript character class, negated when that is shorter. */
  toSource(): string {
    const size = this.size;
    if (size === 256) return "[^]";
    const negated = size > 128;
    return `[${negated ? "^" : ""}${(negated ? this.complement() : this).#ranges()}]`;
  }

  #ranges(): string {
    let text = "";
    for (let from = 0; from < 256; from++) {
      if (!this.has(from)) continue;
      let to = from;
      while (to < 255 && this.has(to + 1)) to++;
      text += byteInClass(from);
      if (to > from) text += (to > from + 1 ? "-" : "") + byteInClass(to);
      from = to;
    }
    return text;
  }
}

export const DIGITS = ByteSet.of([48, 57]);
export const WORDS = ByteSet.of([48, 57], [65, 90], [97, 122], 95);
/** ASCII white space only: in UTF-8, byte 0xA0 is the second half of `à`. */
export const SPACES = ByteSet.of([9, 13], 32);
/** The bytes that <HOST> matches: those of addresses and names. */
export const HOST_BYTES = ByteSet.of([45, 46], [48, 58], [65, 90], 95, [97, 122]);
export const NOT_NEWLINE = ByteSet.of(10).complement();

/** A byte as regular-expression source outside a class, escaped where needed. */
export function byteSource(byte: number): string {
  const char = String.fromCharCode(byte);
  if (/[\^$\\.*+?()[\]{}|/]/.test(char)) return `\\${char}`;
  return byte >= 32 && byte < 127 ? char : hexEscape(byte);
}

function byteInClass(byte: number): string {
  const char = String.fromCharCode(byte);
  return /[A-Za-z0-9_ .:;,@%&=!~'"<>/#`]/.test(char) ? char : hexEscape(byte);
}

function hexEscape(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}
