import { ByteSet, DIGITS, SPACES, WORDS } from "./byte-set.ts";

/** What is wrong with a pattern, in words. */
export class PatternError extends Error {}

/** Escapes that stand for a set of bytes; upper case for what is not in it. */
export const SET_ESCAPES: Readonly<Record<string, ByteSet>> = {
  d: DIGITS,
  D: DIGITS.complement(),
  w: WORDS,
  W: WORDS.complement(),
  s: SPACES,
  S: SPACES.complement(),
  h: ByteSet.of(9, 32),
};

/** Reads an escape that stands for one character, at the start of `text`. `\xHH` and octal ones are bytes. */
export function readEscape(text: string): { value: number; length: number; isByte: boolean } {
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
  if (value > 0x10ffff) throw new PatternError(`no character has the number ${value.toString(16)}`);
  return value;
}

/** Which escapes stand for one byte. */
const BYTE_ESCAPES: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7, e: 27 };
