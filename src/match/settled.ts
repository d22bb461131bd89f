import { type Address, address, parseAddress, V4_MARK } from "../core/address.ts";
import { HOST_BYTES } from "./byte-set.ts";
import { latin1 } from "./line-text.ts";

/** Is asked where a line's only possible hosts can be told without its patterns. Filters are known by their places. */
export interface Settling {
  /** Whether nothing new can come of a failure of this address, such as when it is banned already. */
  isSettled(filter: number, host: Address): boolean;
  /** A line that can only be such a failure is passed over. */
  passOver(filter: number, host: Address): void;
}

/**
 * Looks, in a line's bytes, at every place where a host could stand for patterns with this neighbour (neighbour.ts). Answers
 * the address of one of them when all are settled, so that the line need not become a string; null when any is not, or is a
 * name, or when there is none. An attacker who quotes a banned address beside his own is not settled by it.
 */
export function settledHost(
  bytes: Buffer,
  from: number,
  end: number,
  neighbour: NeighbourText,
  isSettled: (host: Address) => boolean,
): Address | null {
  const { bytes: text, probe } = neighbour;
  const rare = text[probe]!;
  const behind = text.length - probe;
  let settled: Address | null = null;
  for (let at = from + probe; at < end; at++) {
    if (bytes[at] !== rare || !stands(bytes, at - probe, end, text)) continue;
    const next = at + behind;
    const start = bytes[next] === BRACKET ? next + 1 : next;
    let stop = start;
    while (stop < end && IS_HOST_BYTE[bytes[stop]!] === 1) stop++;
    const host = hostIn(bytes, start, stop);
    if (host === null || !isSettled(host)) return null;
    settled = host;
  }
  return settled;
}

/** The text before a host, and which of its bytes to look for: the one that is rarest in logs. */
export interface NeighbourText {
  readonly bytes: Uint8Array;
  readonly probe: number;
}

export function neighbourText(text: string): NeighbourText {
  let probe = 0;
  for (let i = 1; i < text.length; i++) if (rank(text.charAt(i)) > rank(text.charAt(probe))) probe = i;
  return { bytes: Buffer.from(text, "latin1"), probe };
}

/** Letters as they grow rarer in what machines write; whatever is not among them is taken to be rarer still. */
const BY_FREQUENCY = " eotarnsidlc0125u3mp4h=.:6789f[],-g";

function rank(char: string): number {
  const place = BY_FREQUENCY.indexOf(char);
  return place < 0 ? BY_FREQUENCY.length : place;
}

const BRACKET = 0x5b;
const DOT = 46;
/** The longest text of an address. */
const LONGEST = 45;

const IS_HOST_BYTE = new Uint8Array(256);
for (const byte of HOST_BYTES.members()) IS_HOST_BYTE[byte] = 1;

function stands(bytes: Buffer, first: number, end: number, text: Uint8Array): boolean {
  if (first + text.length > end) return false;
  for (let i = 0; i < text.length; i++) if (bytes[first + i] !== text[i]) return false;
  return true;
}

/** An address that fills the run; null for anything else, an empty run included. */
function hostIn(bytes: Buffer, start: number, stop: number): Address | null {
  if (stop - start > LONGEST) return null;
  const v4 = v4In(bytes, start, stop);
  if (v4 !== null) return address(0, 0, V4_MARK, v4);
  return parseAddress(latin1(bytes, start, stop));
}

/** Four octets as parseAddress reads them, without a string. */
function v4In(bytes: Buffer, start: number, stop: number): number | null {
  let word = 0;
  let octet = -1;
  let dots = 0;
  for (let i = start; i < stop; i++) {
    const digit = bytes[i]! - 48;
    if (digit >= 0 && digit <= 9) {
      if (octet === 0) return null;
      octet = octet < 0 ? digit : octet * 10 + digit;
      if (octet > 255) return null;
    } else if (bytes[i] === DOT && octet >= 0 && dots < 3) {
      word = (word << 8) | octet;
      octet = -1;
      dots++;
    } else return null;
  }
  return dots === 3 && octet >= 0 ? (word << 8) | octet : null;
}
