import { LF } from "../../core/ascii.ts";
import { isV4 } from "../../core/address.ts";
import { LIMITS } from "../../core/limits.ts";
import { RangeCollector, type Ranges } from "../../core/ranges.ts";
import type { Steps } from "../../core/turns.ts";
import { type Entry, readEntry } from "./read-entry.ts";
import { type RemarkKind, Remarks } from "./remarks.ts";

export interface ListBounds {
  /** The shortest allowed prefix of each family; a range may be as large as such a network. */
  readonly widestV4: number;
  readonly widestV6: number;
  /** Entries, not counting malformed lines. */
  readonly entries: number;
  /** Remarks of each kind that are kept. */
  readonly remarks: number;
  /** Of all files of a list together; of a fetched one, unpacked. */
  readonly bytes: number;
}

export const DEFAULT_BOUNDS: ListBounds = {
  widestV4: 8,
  widestV6: 16,
  entries: LIMITS.listEntries.value,
  remarks: LIMITS.listRemarks.value,
  bytes: LIMITS.listBytes.value,
};

/** The entries of a list, in its own order. */
export interface ParsedList {
  readonly v4: Ranges;
  readonly v6: Ranges;
  readonly remarks: Remarks;
  /** Entries beyond the bound, which were skipped. */
  readonly over: number;
}

/**
 * Reads a list as its bytes arrive. Plain IPv4 addresses and networks, the bulk of large lists, are read from the bytes; other lines
 * become strings.
 */
export class ListParser implements ParsedList {
  readonly remarks: Remarks;
  over = 0;
  readonly #bounds: ListBounds;
  readonly #v4 = new RangeCollector(1);
  readonly #v6 = new RangeCollector(4);
  #file: string | undefined;
  #line = 0;
  /** The beginning of a line whose end has not arrived. */
  #rest: Uint8Array = new Uint8Array(0);
  /** Within the rest of a line that is too long. */
  #skipping = false;

  constructor(bounds: ListBounds = DEFAULT_BOUNDS) {
    this.#bounds = bounds;
    this.remarks = new Remarks(bounds.remarks);
  }

  get v4(): Ranges {
    return this.#v4.ranges;
  }

  get v6(): Ranges {
    return this.#v6.ranges;
  }

  /** The following bytes are of this file. Named only when a list has several. */
  beginFile(name?: string): void {
    this.#file = name;
    this.#line = 0;
  }

  /** Reads the next bytes, and does not keep them. */
  *push(bytes: Uint8Array): Steps<void> {
    let from = 0;
    let sinceStep = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, from)) {
      if (++sinceStep === LINES_A_STEP) {
        sinceStep = 0;
        yield;
      }
      if (this.#skipping || this.#rest.length > 0) this.#endLine(bytes.subarray(from, end));
      else this.#read(bytes, from, end);
      from = end + 1;
    }
    this.#keep(bytes.subarray(from));
  }

  /** Reads the last line of a file, which may lack its line end. */
  endFile(): void {
    if (this.#rest.length > 0 || this.#skipping) this.#endLine(new Uint8Array(0));
  }

  #endLine(tail: Uint8Array): void {
    this.#keep(tail);
    const line = this.#rest;
    this.#rest = new Uint8Array(0);
    if (!this.#skipping) return this.#read(line, 0, line.length);
    // It was reported when it became too long.
    this.#skipping = false;
    this.#line++;
  }

  #keep(bytes: Uint8Array): void {
    if (this.#skipping || bytes.length === 0) return;
    const rest = new Uint8Array(this.#rest.length + bytes.length);
    rest.set(this.#rest);
    rest.set(bytes, this.#rest.length);
    this.#rest = rest;
    if (rest.length <= LONGEST_LINE) return;
    this.#skipping = true;
    this.#rest = new Uint8Array(0);
    this.#remark("malformed", this.#line + 1, TOO_LONG, textOf(rest, 0, 100));
  }

  #read(bytes: Uint8Array, from: number, end: number): void {
    this.#line++;
    if (end - from > LONGEST_LINE) {
      this.#remark("malformed", this.#line, TOO_LONG, textOf(bytes, from, from + 100));
      return;
    }
    if (this.#line === 1 && bytes[from] === 0xef && bytes[from + 1] === 0xbb && bytes[from + 2] === 0xbf)
      from += 3;
    if (readPlainV4(bytes, from, end, this.#bounds.widestV4)) this.#take(PLAIN.first, PLAIN.last);
    else this.#readText(textOf(bytes, from, end));
  }

  #readText(line: string): void {
    const entry = readEntry(line);
    if (entry.kind === "nothing") return;
    if (entry.kind === "malformed") return this.#remark("malformed", this.#line, entry.fact, line);
    const widest = this.#widthFault(entry);
    if (widest !== null) return this.#remark("wide", this.#line, widest, line);
    if (entry.masked) this.#remark("masked", this.#line, "has host bits, which were cleared", line);
    if (isV4(entry.first)) this.#take(entry.first.w3 >>> 0, entry.last.w3 >>> 0);
    else if (this.#hasRoom()) this.#v6.add(entry.first, entry.last);
  }

  #widthFault({ first, last }: Entry & { kind: "range" }): string | null {
    const v4 = isV4(first);
    const length = v4 ? this.#bounds.widestV4 : this.#bounds.widestV6;
    // Exact enough: an IPv6 network of 2^64 addresses or fewer is never too wide unless the bound says so.
    const size = v4
      ? (last.w3 >>> 0) - (first.w3 >>> 0) + 1
      : [0, 1, 2, 3].reduce((sum, k) => sum * 2 ** 32 + word(last, k) - word(first, k), 0) + 1;
    return size > 2 ** ((v4 ? 32 : 128) - length) ? `is wider than a /${length}, and was not taken` : null;
  }

  #take(first: number, last: number): void {
    if (this.#hasRoom()) this.#v4.addV4(first, last);
  }

  #hasRoom(): boolean {
    if (this.#v4.size + this.#v6.size < this.#bounds.entries) return true;
    this.over++;
    return false;
  }

  #remark(kind: RemarkKind, line: number, fact: string, text: string): void {
    this.remarks.add(kind, { ...(this.#file === undefined ? {} : { file: this.#file }), line, fact }, text);
  }
}

const CR = 13;
const TAB = 9;
const SPACE = 32;
const HASH = 35;
const DOT = 46;
const SLASH = 47;
const ZERO = 48;
const SEMICOLON = 59;

const LINES_A_STEP = 2000;

/** Far longer than the JSON lines of known lists. */
const LONGEST_LINE = LIMITS.listLineBytes.value;

const TOO_LONG = `is longer than ${LONGEST_LINE} bytes`;

/** What `readPlainV4` found. One object for all lines: nothing is allocated for each. */
const PLAIN = { first: 0, last: 0 };

/**
 * Reads `a.b.c.d` or `a.b.c.d/n` at the beginning of a line, followed only by blanks and a comment. Answers false for everything else,
 * which is then read as text: also for host bits and networks that are too wide.
 */
function readPlainV4(bytes: Uint8Array, from: number, end: number, widest: number): boolean {
  let word = 0;
  let octet = -1;
  let dots = 0;
  let at = from;
  for (; at < end; at++) {
    const digit = bytes[at]! - ZERO;
    if (digit >= 0 && digit <= 9) {
      if (octet === 0) return false;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return false;
    } else if (bytes[at] === DOT) {
      if (octet < 0 || dots === 3) return false;
      word = (word << 8) | octet;
      octet = -1;
      dots++;
    } else break;
  }
  if (dots !== 3 || octet < 0) return false;
  word = ((word << 8) | octet) >>> 0;
  let size = 1;
  if (at < end && bytes[at] === SLASH) {
    let length = -1;
    for (at++; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      length = length < 0 ? digit : length * 10 + digit;
      if (length > 32) return false;
    }
    if (length < widest) return false;
    size = 2 ** (32 - length);
    if (word % size !== 0) return false;
  }
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB || bytes[at] === CR)) at++;
  if (at < end && bytes[at] !== HASH && bytes[at] !== SEMICOLON) return false;
  PLAIN.first = word;
  PLAIN.last = word + size - 1;
  return true;
}

function textOf(bytes: Uint8Array, from: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.min(end, bytes.length) - from).toString(
    "latin1",
  );
}

function word(a: { w0: number; w1: number; w2: number; w3: number }, k: number): number {
  return [a.w0, a.w1, a.w2, a.w3][k]! >>> 0;
}
