/**
 * Takes terminal colours out of bytes[from…to) in place, and returns the new end. Programs that believe to write to a terminal put
 * them in the middle of words: `ESC[1;33mNOTICE ESC[0m`. Takes SGR and EL sequences (`ESC[…m`, `ESC[…K`) and `ESC(B`, also with the ESC
 * as rsyslog writes it, `#033`, or busybox, `^[`. What is left is a part of the same text, so nothing can be forged that could not be written without them.
 */
export function withoutColours(bytes: Uint8Array, from: number, to: number): number {
  let end = from;
  for (let at = from; at < to;) {
    const length = escapeLength(bytes, at, to);
    const rest = length === 0 ? 0 : sequenceLength(bytes, at + length, to);
    if (rest > 0) at += length + rest;
    else bytes[end++] = bytes[at++]!;
  }
  return end;
}

/** Whether there is an ESC in some form: three searches for one byte when the text has few `#` and `^`. */
export function mayHaveColours(bytes: Buffer): boolean {
  return bytes.includes(ESC) || ESCAPED.some((text) => includes(bytes, text));
}

function includes(bytes: Buffer, text: Buffer): boolean {
  let at = bytes.indexOf(text[0]!);
  for (let i = 0; at >= 0 && i < FEW; i++) {
    if (stands(bytes, at, bytes.length, text)) return true;
    at = bytes.indexOf(text[0]!, at + 1);
  }
  return at >= 0 && bytes.includes(text, at);
}

/** A search for one byte is ten times as fast as one for a text, and takes 50 ns to begin. */
const FEW = 16;
const ESC = 0x1b;
/** How rsyslog and busybox write ESC [ in the text of a message. */
const ESCAPED = ["#033[", "^[["].map((text) => Buffer.from(text, "latin1"));

/** The length of ESC at this place; 0 for any other byte. */
function escapeLength(bytes: Uint8Array, at: number, to: number): number {
  if (bytes[at] === ESC) return 1;
  for (const text of ESCAPED) if (stands(bytes, at, to, text)) return text.length - 1;
  return 0;
}

function stands(bytes: Uint8Array, at: number, to: number, text: Uint8Array): boolean {
  if (bytes[at] !== text[0] || at + text.length > to) return false;
  for (let i = 1; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}

/** The length of the sequence behind an ESC; 0 when it is another one. */
function sequenceLength(bytes: Uint8Array, at: number, to: number): number {
  if (at + 1 >= to) return 0;
  if (bytes[at] === ROUND) return bytes[at + 1] === LETTER_B ? 2 : 0;
  if (bytes[at] !== SQUARE) return 0;
  let end = at + 1;
  while (end < to && isParameter(bytes[end]!)) end++;
  return end < to && (bytes[end] === LETTER_M || bytes[end] === LETTER_K) ? end + 1 - at : 0;
}

/** Digits, `:` and `;`. */
function isParameter(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x3b;
}

const ROUND = 0x28;
const SQUARE = 0x5b;
const LETTER_B = 0x42;
const LETTER_K = 0x4b;
const LETTER_M = 0x6d;
