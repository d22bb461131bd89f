import { type Address, address, parseAddress, V4_MARK } from "../../core/address.ts";
import { HOST_BYTES } from "../filter/byte-set.ts";
import { latin1 } from "../line-text.ts";

/** Is asked where a line's only possible hosts can be told without its patterns. Filters are known by their places. */
export interface Settling {
  /** Whether nothing new can come of a failure of this address, such as when it is banned already. */
  isSettled(filter: number, host: Address): boolean;
  /** A line that can only be such a failure is passed over. */
  passOver(filter: number, host: Address): void;
}

/**
 * Looks, in lines' bytes, at every place where a host could stand for patterns with a neighbour (neighbour.ts): behind each
 * occurrence of that text. It is found by the one of its bytes that is rarest in logs, which Node looks for many at a time; each byte of
 * a batch is looked at once, since the next place is remembered.
 */
export class NeighbourSearch {
  readonly #text: Uint8Array;
  readonly #probe: number;
  readonly #rare: number;
  /** The first of the rare bytes that was not looked at yet; -1 before the batch's first line. */
  #next = -1;

  /** `text` has one character a byte. */
  constructor(text: string) {
    let probe = 0;
    for (let i = 1; i < text.length; i++) if (rank(text.charAt(i)) > rank(text.charAt(probe))) probe = i;
    this.#text = Buffer.from(text, "latin1");
    this.#probe = probe;
    this.#rare = this.#text[probe]!;
  }

  /** Before each batch; its lines are then asked for in their order. */
  begin(): void {
    this.#next = -1;
  }

  /**
   * The address of one of the hosts when all are settled, so that the line need not become a string; null when any is not, or is a
   * name, or when there is none. An attacker who quotes a banned address beside his own is not settled by it.
   */
  settledHost(bytes: Buffer, from: number, end: number, settling: Settling, filter: number): Address | null {
    let settled: Address | null = null;
    if (this.#next < from + this.#probe) this.#seek(bytes, from + this.#probe);
    while (this.#next < end) {
      const first = this.#next - this.#probe;
      this.#seek(bytes, this.#next + 1);
      if (first < from || !stands(bytes, first, end, this.#text)) continue;
      const behind = first + this.#text.length;
      const start = bytes[behind] === BRACKET ? behind + 1 : behind;
      let stop = start;
      while (stop < end && IS_HOST_BYTE[bytes[stop]!] === 1) stop++;
      const host = hostIn(bytes, start, stop);
      if (host === null || !settling.isSettled(filter, host)) return null;
      settled = host;
    }
    return settled;
  }

  #seek(bytes: Buffer, from: number): void {
    const at = bytes.indexOf(this.#rare, from);
    this.#next = at < 0 ? Number.MAX_SAFE_INTEGER : at;
  }
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
