import { isUtf8 } from "node:buffer";

/**
 * Text from a log, a user name or a peer, made safe for a terminal, a log or a message. Attackers choose this text: an escape sequence
 * recolours, moves or erases what a terminal shows, a right-to-left override reverses an address, a zero-width character hides a word.
 * Every such character is spelled out: ESC as `\x1b`, U+202E as `\u202e`.
 */
export function printable(text: string): string {
  return PLAIN.test(text) ? text : text.replace(UNSAFE, spelled);
}

/** As `printable`, at most so many characters, the last of them `…` if text was cut off. */
export function excerpt(text: string, most: number): string {
  // Cut first: the time for a text without a bound is bounded too.
  return clip(printable(text.length > most ? text.slice(0, most + 1) : text), most);
}

/** As `excerpt`, for a phrase that reads well: a run of unsafe characters becomes one space, and nothing marks the cut. */
export function printablePhrase(text: string, most: number): string {
  return text
    .slice(0, most * 4)
    .replace(UNSAFE_RUN, " ")
    .trim()
    .slice(0, most)
    .replace(CUT_PAIR, "");
}

/** At most so many characters, the last of them `…` if text was cut off. Does not cut a surrogate pair in two. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, Math.max(0, most - 1)).replace(CUT_PAIR, "")}…`;
}

/**
 * A line as the matcher keeps it, one character a byte, as people read it: UTF-8 where it is valid. Otherwise the encoding is unknown, and
 * bytes above 127 are spelled out as `\xe9`. Text with characters above 255 is not such a line, and is returned unchanged.
 */
export function decodeLine(line: string): string {
  if (ASCII.test(line) || !BYTES.test(line)) return line;
  const bytes = Buffer.from(line, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : line.replace(HIGH, spelled);
}

/** A line of a log, ready for a terminal. */
export function printableLine(line: string): string {
  return printable(decodeLine(line));
}

/** Bytes from a peer or a program, ready for a terminal, at most so many characters. */
export function excerptOfBytes(bytes: Buffer, most: number): string {
  return excerpt(decodeLine(bytes.toString("latin1", 0, most * 4)), most);
}

/** JSON for a pipe or a terminal: the document that JSON.stringify writes, with unsafe characters escaped. */
export function jsonText(value: unknown, indent = 2): string {
  const text = JSON.stringify(value, null, indent);
  return text.replace(UNSAFE, (character) => (character === "\n" ? "\n" : jsonEscape(character)));
}

const PLAIN = /^[\x20-\x7e]*$/;
// \p{C}: controls (C0, DEL, C1), format characters (bidi overrides and isolates, zero width, tags), lone surrogates, private use and
// unassigned. \p{Zl}, \p{Zp}: U+2028 and U+2029. \p{DI}: everything else that is drawn as nothing, such as Hangul fillers.
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}\p{DI}]/gu;
const UNSAFE_RUN = /[\p{C}\p{Zl}\p{Zp}\p{DI}]+/gu;
/** The first half of a surrogate pair at the end. */
const CUT_PAIR = /[\ud800-\udbff]$/;
const ASCII = /^[\x00-\x7f]*$/;
const BYTES = /^[\x00-\xff]*$/;
const HIGH = /[\x80-\xff]/g;

function spelled(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\u{${hex}}`;
}

/** JSON knows UTF-16 units only: a character above U+FFFF is two escapes. */
function jsonEscape(character: string): string {
  return character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
