import { LF } from "../../core/ascii.ts";

/**
 * Writes syslog messages (RFC 3164 or RFC 5424) as lines in the format of rsyslog's log files:
 *
 *      <34>Oct 11 22:14:15 box su[7]: text                               Oct 11 22:14:15 box su[7]: text
 *      <34>Oct 11 22:14:15 su[7]: text                                   Oct 11 22:14:15 HOST su[7]: text
 *      <34>1 2026-10-11T22:14:15.003Z box su 7 ID47 [a@1 b="c"] text     2026-10-11T22:14:15.003Z box su[7]: text
 *
 * Any other message is copied unchanged. LF, CR and NUL become spaces, so that a message cannot forge a second line; at the end
 * they are dropped. Works on bytes and allocates nothing per message.
 */
export class MessageWriter {
  readonly #host: Uint8Array;
  readonly #maxLine: number;
  #to: Uint8Array = new Uint8Array(0);
  #at = 0;
  #limit = 0;

  /** `host` is written in messages without a host. */
  constructor(host: Uint8Array, maxLine: number) {
    this.#host = host;
    this.#maxLine = maxLine;
  }

  /** The next line is written to `to` at `at`, which must have room for `maxLine` bytes. */
  aim(to: Uint8Array, at: number): void {
    this.#to = to;
    this.#at = at;
    this.#limit = at + this.#maxLine;
  }

  /**
   * Writes at most `maxLine` bytes, without an LF. Returns the full length of the line, which is larger when the line was
   * truncated, and 0 for an empty message.
   */
  write(bytes: Uint8Array, start: number, messageEnd: number): number {
    const line = this.#at;
    const end = trimmedEnd(bytes, start, messageEnd);
    const text = afterPriority(bytes, start, end);
    const done = text > start && isVersion1(bytes, text, end) && this.#writeRfc5424(bytes, text + 2, end);
    if (!done) this.#writeRfc3164(bytes, text, end);
    return this.#at - line;
  }

  #writeRfc3164(bytes: Uint8Array, start: number, end: number): void {
    const program = hostlessProgram(bytes, start, end);
    if (program < 0) return this.#copy(bytes, start, end);
    this.#copy(bytes, start, program);
    this.#copy(this.#host, 0, this.#host.length);
    this.#put(SPACE);
    this.#copy(bytes, program, end);
  }

  /** TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID SP STRUCTURED-DATA [SP MSG]; false for anything else. */
  #writeRfc5424(bytes: Uint8Array, start: number, end: number): boolean {
    const time = nextSpace(bytes, start, end);
    const name = nextSpace(bytes, time + 1, end);
    const program = nextSpace(bytes, name + 1, end);
    const pid = nextSpace(bytes, program + 1, end);
    const id = nextSpace(bytes, pid + 1, end);
    if (id >= end) return false;
    if (!isNil(bytes, start, time)) {
      this.#copy(bytes, start, time);
      this.#put(SPACE);
    }
    if (isNil(bytes, time + 1, name)) this.#copy(this.#host, 0, this.#host.length);
    else this.#copy(bytes, time + 1, name);
    this.#put(SPACE);
    this.#copy(bytes, name + 1, program);
    if (!isNil(bytes, program + 1, pid)) {
      this.#put(OPEN);
      this.#copy(bytes, program + 1, pid);
      this.#put(CLOSE);
    }
    this.#put(COLON);
    const text = afterStructuredData(bytes, id + 1, end);
    if (text < end) {
      this.#put(SPACE);
      this.#copy(bytes, text, end);
    }
    return true;
  }

  /** Beyond the limit writes nothing but still advances, so that the full length of the line is known. */
  #copy(from: Uint8Array, start: number, end: number): void {
    const to = this.#to;
    const stop = Math.min(end, start + this.#limit - this.#at);
    for (let i = start, o = this.#at; i < stop; i++, o++) {
      const byte = from[i]!;
      to[o] = byte <= CR && isBreak(byte) ? SPACE : byte;
    }
    this.#at += end - start;
  }

  #put(byte: number): void {
    if (this.#at < this.#limit) this.#to[this.#at] = byte;
    this.#at++;
  }
}

/** What a message begins with. */
export type Head = "priority and time" | "priority" | "time" | "none";

/** The head of the message that begins at `start`. */
export function headOf(bytes: Uint8Array, start: number, end: number): Head {
  const text = afterPriority(bytes, start, end);
  const isTimed = afterTime(bytes, text, end) >= 0 || (text > start && isVersion1(bytes, text, end));
  if (text > start) return isTimed ? "priority and time" : "priority";
  return isTimed ? "time" : "none";
}

const CR = 13;
const SPACE = 32;
const QUOTE = 34;
const DASH = 45;
const COLON = 58;
const LESS = 60;
const GREATER = 62;
const OPEN = 91;
const BACKSLASH = 92;
const CLOSE = 93;

function trimmedEnd(bytes: Uint8Array, start: number, end: number): number {
  let last = end;
  while (last > start && isBreak(bytes[last - 1]!)) last--;
  return last;
}

function isBreak(byte: number): boolean {
  return byte === LF || byte === CR || byte === 0;
}

/** The offset after `<0>` … `<191>`; `start` when there is no priority. */
function afterPriority(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 3 || bytes[start] !== LESS) return start;
  let value = 0;
  let i = start + 1;
  for (; i < end && i < start + 4 && isDigit(bytes[i]!); i++) value = value * 10 + bytes[i]! - 48;
  return i > start + 1 && i < end && bytes[i] === GREATER && value <= 191 ? i + 1 : start;
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** True for `1 ` and a timestamp or `-`: RFC 5424 defines only version 1. */
function isVersion1(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 4 || bytes[start] !== 49 || bytes[start + 1] !== SPACE) return false;
  const first = bytes[start + 2]!;
  return isDigit(first) || (first === DASH && bytes[start + 3] === SPACE);
}

function nextSpace(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  while (i < end && bytes[i] !== SPACE) i++;
  return i;
}

function isNil(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 1 && bytes[start] === DASH;
}

/** The offset of the text. Unterminated structured data counts as text, so a missing bracket hides nothing. */
function afterStructuredData(bytes: Uint8Array, start: number, end: number): number {
  let i = start;
  if (bytes[i] === DASH) i++;
  else {
    while (i < end && bytes[i] === OPEN) {
      i = afterElement(bytes, i, end);
      if (i < 0) return start;
    }
    if (i === start) return start;
  }
  if (i < end && bytes[i] !== SPACE) return start;
  while (i < end && bytes[i] === SPACE) i++; // rsyslog sends two spaces: it counts one as part of the text
  const bom = bytes[i] === 0xef && bytes[i + 1] === 0xbb && bytes[i + 2] === 0xbf;
  return bom && i + 3 <= end ? i + 3 : i;
}

/** The offset after the first unquoted `]`; -1 when there is none. */
function afterElement(bytes: Uint8Array, start: number, end: number): number {
  let quoted = false;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    if (quoted && byte === BACKSLASH) i++;
    else if (byte === QUOTE) quoted = !quoted;
    else if (byte === CLOSE && !quoted) return i + 1;
  }
  return -1;
}

/** The offset of the program's name if it follows the time directly, as local senders write it; -1 when there is a host, or no time. */
function hostlessProgram(bytes: Uint8Array, start: number, end: number): number {
  const name = afterTime(bytes, start, end);
  if (name < 0) return -1;
  const space = nextSpace(bytes, name, end);
  return space > name + 1 && bytes[space - 1] === COLON ? name : -1;
}

/** The offset after `Oct 11 22:14:15 ` or an RFC 3339 time and a space; -1 when there is neither. */
function afterTime(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < 20) return -1;
  if (isDigit(bytes[start]!)) {
    if (bytes[start + 4] !== DASH || bytes[start + 7] !== DASH || bytes[start + 13] !== COLON) return -1;
    const space = nextSpace(bytes, start + 16, Math.min(end, start + 40));
    return bytes[space] === SPACE ? space + 1 : -1;
  }
  const colons = bytes[start + 9] === COLON && bytes[start + 12] === COLON;
  const spaces = bytes[start + 3] === SPACE && bytes[start + 6] === SPACE && bytes[start + 15] === SPACE;
  return colons && spaces ? start + 16 : -1;
}
