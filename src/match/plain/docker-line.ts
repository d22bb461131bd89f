import { LF } from "../../core/ascii.ts";
import { latin1 } from "../line-text.ts";
import type { Bytes, ContainerLine, Wrapping } from "./container-line.ts";

/**
 * A line of Docker's json-file driver. `attrs` is there with labels:
 *
 *      {"log":"the program's line\n","stream":"stderr","attrs":{…},"time":"2026-11-20T14:44:48.123456789Z"}
 *
 * Docker cuts lines at 16 KiB: the text of every piece but the last one has no \n at its end.
 */
export const DOCKER: Wrapping = {
  mayBe: (line) => stands(line, line.from, HEAD),
  read: readDockerLine,
};

function readDockerLine(line: Bytes, out: Uint8Array, at: number): ContainerLine | null {
  const { bytes, from, to } = line;
  if (!DOCKER.mayBe(line)) return null;
  const text = unescape({ bytes, from: from + HEAD.length, to }, out, at);
  if (text === null) return null;
  const rest = TAIL.exec(latin1(bytes, text.next, to));
  if (rest === null) return null;
  let { end } = text;
  const isWhole = end > at && out[end - 1] === LF;
  if (isWhole) end--;
  if (end > at && out[end - 1] === CR) end--;
  if (out.subarray(at, end).includes(LF)) return null;
  return { end, isWhole, stream: rest[1] === "stdout" ? "stdout" : "stderr", time: rest[2] ?? "" };
}

/** ESC in a JSON string. */
export const JSON_ESC = Buffer.from("\\u001b", "latin1");
const HEAD = Buffer.from('{"log":"', "latin1");
/** Behind the quotation mark that ends the text. Labels are objects of strings. */
const TAIL =
  /^,"stream":"(stdout|stderr)"(?:,"attrs":\{(?:"(?:[^"\\]|\\.)*"[:,]?)*\})?,"time":"([\d.:TZ+-]+)"\}$/;

function stands({ bytes, to }: Bytes, at: number, text: Uint8Array): boolean {
  if (at + text.length > to) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

/** Decodes a JSON string up to its quotation mark. `next` is behind that, `end` is behind the last byte written. */
function unescape(string: Bytes, out: Uint8Array, start: number): { next: number; end: number } | null {
  const { bytes, from, to } = string;
  let end = start;
  for (let at = from; at < to;) {
    const byte = bytes[at++]!;
    if (byte === QUOTE) return { next: at, end };
    if (byte !== BACKSLASH) {
      out[end++] = byte;
      continue;
    }
    const letter = bytes[at++]!;
    if (letter !== LETTER_U) {
      const meant = SIMPLE[letter];
      if (meant === undefined) return null;
      out[end++] = meant;
      continue;
    }
    const unit = hexUnit(string, at);
    if (unit < 0) return null;
    at += 4;
    const isHigh = unit >= 0xd800 && unit < 0xdc00;
    const low = isHigh && stands(string, at, UNICODE) ? hexUnit(string, at + 2) : -1;
    if (low >= 0xdc00 && low < 0xe000) {
      at += 6;
      end = writeUtf8(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), out, end);
    } else end = writeUtf8(unit, out, end);
  }
  return null;
}

const CR = 0x0d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const LETTER_U = 0x75;
const UNICODE = Buffer.from("\\u", "latin1");
const SIMPLE: Readonly<Record<number, number>> = {
  [QUOTE]: QUOTE,
  [BACKSLASH]: BACKSLASH,
  0x2f: 0x2f,
  0x62: 0x08,
  0x66: 0x0c,
  0x6e: LF,
  0x72: CR,
  0x74: 0x09,
};

/** Four hexadecimal digits; -1 for anything else. */
function hexUnit({ bytes, to }: Bytes, at: number): number {
  if (at + 4 > to) return -1;
  let unit = 0;
  for (let i = at; i < at + 4; i++) {
    const digit = hexDigit(bytes[i]!);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}

/** At most four bytes; `\uXXXX` is six. */
function writeUtf8(code: number, out: Uint8Array, at: number): number {
  let end = at;
  if (code < 0x80) out[end++] = code;
  else if (code < 0x800) {
    out[end++] = 0xc0 | (code >> 6);
    out[end++] = 0x80 | (code & 63);
  } else {
    if (code < 0x10000) out[end++] = 0xe0 | (code >> 12);
    else {
      out[end++] = 0xf0 | (code >> 18);
      out[end++] = 0x80 | ((code >> 12) & 63);
    }
    out[end++] = 0x80 | ((code >> 6) & 63);
    out[end++] = 0x80 | (code & 63);
  }
  return end;
}
