import { ByteSet, DIGITS, SPACES, WORDS } from "./byte-set.ts";

/** Why a pattern is refused: a predicate that follows its name, such as 'is too large'. */
export class PatternError extends Error {}

/** Escapes that stand for a set of bytes; the upper-case ones for its complement. ASCII, as Python's `re.ASCII`; `\h` is Perl's. */
const SET_ESCAPES: Readonly<Record<string, ByteSet>> = {
  d: DIGITS,
  D: DIGITS.complement(),
  w: WORDS,
  W: WORDS.complement(),
  s: SPACES,
  S: SPACES.complement(),
  h: ByteSet.of(9, 32),
};

/** The set of an escape; with `isWide`, bytes above 127 are letters, as those of UTF-8 mostly are. Undefined for a single character. */
export function setOf(char: string, isWide: boolean): ByteSet | undefined {
  return (isWide ? WIDE_ESCAPES[char] : undefined) ?? SET_ESCAPES[char];
}

const WIDE = new ByteSet();
WIDE.addAll(WORDS);
WIDE.addRange(128, 255);
const WIDE_ESCAPES: Readonly<Record<string, ByteSet>> = { w: WIDE, W: WIDE.complement() };

/** A character that an escape stands for. */
export interface Escaped {
  /** A byte when `isByte`, else a Unicode code point up to 0x10ffff. */
  readonly value: number;
  /** In UTF-16 units of the pattern, the backslash included. */
  readonly length: number;
  readonly isByte: boolean;
}

/**
 * Reads the escape of a single character at the start of `text`, which begins with a backslash. `\xHH`, octal and control escapes are
 * bytes; `\x{H…}`, `\uHHHH` and `\UHHHHHHHH` are code points. Spelling as in Python's `re` and Perl. Throws PatternError.
 */
export function readEscape(text: string): Escaped {
  const char = text.charAt(1);
  const byte = BYTE_ESCAPES[char];
  if (byte !== undefined) return { value: byte, length: 2, isByte: true };
  const hex = /^\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(text);
  if (hex !== null) {
    const value = Number.parseInt(hex[1] ?? hex[2] ?? "", 16);
    return { value: checkedPoint(value), length: hex[0].length, isByte: hex[1] !== undefined };
  }
  const unicode = /^\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))/.exec(text);
  if (unicode !== null) {
    const value = Number.parseInt(unicode[1] ?? unicode[2] ?? "", 16);
    return { value: checkedPoint(value), length: unicode[0].length, isByte: false };
  }
  const octal = /^\\(0[0-7]{0,2}|[1-3][0-7]{2})/.exec(text);
  if (octal !== null) {
    return { value: Number.parseInt(octal[1] ?? "0", 8), length: octal[0].length, isByte: true };
  }
  if (char === "p" || char === "P") throw new PatternError(`\\${char}{…} is not supported: lines are bytes`);
  if (/[A-Za-z0-9]/.test(char)) throw new PatternError(`unknown escape \\${char}`);
  const point = text.codePointAt(1) ?? 0;
  return { value: point, length: point > 0xffff ? 3 : 2, isByte: false };
}

function checkedPoint(value: number): number {
  if (value > 0x10ffff) throw new PatternError(`${value.toString(16)} is not a Unicode code point`);
  return value;
}

/** Control characters by their letter. */
const BYTE_ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7, e: 27 };
