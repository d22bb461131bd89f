import { isUtf8 } from "node:buffer";

/**
 * Text from a log, a user name or a peer, made safe for a terminal. Whoever writes into a log chooses these bytes: an escape
 * sequence could recolour, move or erase what the terminal shows, a right-to-left override could turn an address round.
 * Every such character is shown instead of obeyed: ESC as `\x1b`, U+202E as `\u202e`.
 */
export function printable(text: string): string {
  return text.replace(UNSEEN, shown);
}

/**
 * A line as the matcher keeps it, one character a byte, as people read it: UTF-8 where it is valid. Otherwise bytes above 127
 * mean nothing certain and are shown as `\xe9`. Text that is no such line, with characters above 255, is left as it is.
 */
export function decodeLine(line: string): string {
  if (ASCII.test(line) || !BYTES.test(line)) return line;
  const bytes = Buffer.from(line, "latin1");
  return isUtf8(bytes) ? bytes.toString("utf8") : line.replace(HIGH, shown);
}

/** A line of a log, ready for a terminal. */
export function printableLine(line: string): string {
  return printable(decodeLine(line));
}

/** JSON for a pipe or a terminal. The same document as JSON.stringify gives, but what it leaves raw and a terminal obeys is escaped. */
export function jsonText(value: unknown, indent = 2): string {
  const text = JSON.stringify(value, null, indent);
  return text.replace(UNSEEN, (character) => (character === "\n" ? "\n" : jsonEscape(character)));
}

// Controls (C0, DEL, C1), format characters (bidi overrides, zero width, tags), line and paragraph separators, lone
// surrogates, private use.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;
const ASCII = /^[\x00-\x7f]*$/;
const BYTES = /^[\x00-\xff]*$/;
const HIGH = /[\x80-\xff]/g;

function shown(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\u{${hex}}`;
}

/** JSON knows UTF-16 units only: a character above U+FFFF is two escapes. */
function jsonEscape(character: string): string {
  return character.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
