/**
 * IPv4 and IPv6 addresses as four signed 32-bit words in network order. An IPv4 address is stored as
 * ::ffff:a.b.c.d (RFC 4291, 2.5.5.2), so each host has one representation and one key in every table.
 */
export interface Address {
  readonly w0: number;
  readonly w1: number;
  readonly w2: number;
  readonly w3: number;
}

/** The third word of an IPv4 address stored as ::ffff:a.b.c.d. */
export const V4_MARK = 0xffff;

export function address(w0: number, w1: number, w2: number, w3: number): Address {
  return { w0: w0 | 0, w1: w1 | 0, w2: w2 | 0, w3: w3 | 0 };
}

export function isV4(a: Address): boolean {
  return a.w2 === V4_MARK && a.w1 === 0 && a.w0 === 0;
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.w3 === b.w3 && a.w2 === b.w2 && a.w1 === b.w1 && a.w0 === b.w0;
}

/** The kernel's order: IPv4 before IPv6, then by unsigned value. */
export function compareAddresses(a: Address, b: Address): number {
  if (isV4(a) !== isV4(b)) return isV4(a) ? -1 : 1;
  return (
    (a.w0 >>> 0) - (b.w0 >>> 0) ||
    (a.w1 >>> 0) - (b.w1 >>> 0) ||
    (a.w2 >>> 0) - (b.w2 >>> 0) ||
    (a.w3 >>> 0) - (b.w3 >>> 0)
  );
}

/**
 * Reads an address strictly: four decimal octets without leading zeros, or RFC 4291 text. Zone identifiers,
 * brackets, ports and white space are refused; `::ffff:a.b.c.d` is the IPv4 address. Returns null for other text.
 */
export function parseAddress(text: string): Address | null {
  return text.includes(":") ? parseV6(text) : parseV4(text);
}

/** RFC 5952 text; IPv4 as four decimal octets. */
export function formatAddress(a: Address): string {
  return isV4(a) ? formatV4(a.w3) : formatV6(a);
}

/** Reads 4 or 16 bytes in network order, as in packets and kernel messages. */
export function addressFromBytes(bytes: Uint8Array, offset: number, length: 4 | 16): Address {
  if (length === 4) return address(0, 0, V4_MARK, wordAt(bytes, offset));
  return address(
    wordAt(bytes, offset),
    wordAt(bytes, offset + 4),
    wordAt(bytes, offset + 8),
    wordAt(bytes, offset + 12),
  );
}

/** 4 bytes for IPv4, 16 for IPv6, in network order. */
export function addressToBytes(a: Address): Uint8Array {
  const words = isV4(a) ? [a.w3] : [a.w0, a.w1, a.w2, a.w3];
  const bytes = new Uint8Array(words.length * 4);
  words.forEach((word, i) => {
    bytes[i * 4] = word >>> 24;
    bytes[i * 4 + 1] = word >>> 16;
    bytes[i * 4 + 2] = word >>> 8;
    bytes[i * 4 + 3] = word;
  });
  return bytes;
}

const DOT = 46;
const COLON = 58;

function parseV4(text: string): Address | null {
  const word = v4Word(text, 0);
  return word === null ? null : address(0, 0, V4_MARK, word);
}

/** The four octets that fill `text` from `start` to its end, as one word. */
function v4Word(text: string, start: number): number | null {
  if (text.length - start > 15) return null;
  let word = 0;
  let octet = -1;
  let dots = 0;
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      if (octet < 0 || dots === 3) return null;
      word = (word << 8) | octet;
      octet = -1;
      dots++;
    } else if (code >= 48 && code <= 57) {
      if (octet === 0) return null; // a leading zero: octal to some, decimal to others
      octet = octet < 0 ? code - 48 : octet * 10 + code - 48;
      if (octet > 255) return null;
    } else return null;
  }
  return dots === 3 && octet >= 0 ? (word << 8) | octet : null;
}

function parseV6(text: string): Address | null {
  if (text.length > 45) return null;
  const groups: number[] = [];
  let gap = -1; // groups before '::'
  let i = 0;
  if (text.charCodeAt(0) === COLON) {
    if (text.charCodeAt(1) !== COLON) return null;
    gap = 0;
    i = 2;
  }
  while (i < text.length) {
    const next = text.indexOf(":", i);
    if (next < 0 && text.includes(".", i)) {
      const word = v4Word(text, i);
      if (word === null) return null;
      groups.push(word >>> 16, word & 0xffff);
      break;
    }
    const end = next < 0 ? text.length : next;
    const group = hexGroup(text, i, end);
    if (group < 0) return null;
    groups.push(group);
    if (groups.length > 8) return null;
    if (next < 0) break;
    i = next + 1;
    if (text.charCodeAt(i) === COLON) {
      if (gap >= 0) return null;
      gap = groups.length;
      i++;
    } else if (i === text.length) return null; // one colon at the end
  }
  if (gap < 0 ? groups.length !== 8 : groups.length > 7) return null;
  if (gap >= 0) groups.splice(gap, 0, ...Array<number>(8 - groups.length).fill(0));
  const word = (n: number): number => ((groups[n] ?? 0) << 16) | (groups[n + 1] ?? 0);
  return address(word(0), word(2), word(4), word(6));
}

function hexGroup(text: string, start: number, end: number): number {
  if (end === start || end - start > 4) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    const lower = code | 32;
    if (code >= 48 && code <= 57) value = value * 16 + code - 48;
    else if (lower >= 97 && lower <= 102) value = value * 16 + lower - 87;
    else return -1;
  }
  return value;
}

function formatV4(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
}

function formatV6(a: Address): string {
  // '::' replaces the first of the longest runs of zero groups, if that has two groups or more.
  let start = 8;
  let longest = 1;
  for (let i = 0, run = 0; i < 8; i++) {
    run = groupOf(a, i) === 0 ? run + 1 : 0;
    if (run <= longest) continue;
    longest = run;
    start = i - run + 1;
  }
  let text = "";
  for (let i = 0; i < 8; i++) {
    if (i === start) {
      text += "::";
      i += longest - 1;
    } else text += i === 0 || i === start + longest ? hex(groupOf(a, i)) : `:${hex(groupOf(a, i))}`;
  }
  return text;
}

/** One of the eight groups of 16 bits. */
function groupOf(a: Address, i: number): number {
  const word = i < 4 ? (i < 2 ? a.w0 : a.w1) : i < 6 ? a.w2 : a.w3;
  return (i & 1) === 0 ? word >>> 16 : word & 0xffff;
}

function hex(group: number): string {
  return group.toString(16);
}

function wordAt(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] ?? 0) << 24) |
    ((bytes[offset + 1] ?? 0) << 16) |
    ((bytes[offset + 2] ?? 0) << 8) |
    (bytes[offset + 3] ?? 0)
  );
}
