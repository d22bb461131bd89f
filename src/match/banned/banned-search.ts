import { type Address, address, parseAddress, V4_MARK } from "../../core/address.ts";
import { HOST_BYTES } from "../filter/byte-set.ts";
import { latin1 } from "../line-text.ts";

/** Tells which addresses need no further decision, so that lines from them become neither strings nor matches. */
export interface BannedHosts {
  /** Whether a failure of this address changes nothing, because every jail of the filter has banned it. `filter` is its place. */
  isBanned(filter: number, host: Address): boolean;
  /** The matcher skipped a line that can only be a failure of this address. */
  skipped(filter: number, host: Address): void;
}

/**
 * Finds all hosts in the bytes of a line by the text directly before them in every match (text-before-host.ts). Searches for
 * the byte of that text that is rarest in logs, which Node's indexOf does many bytes at a time. Reads each byte of a batch once: it
 * keeps the next place.
 */
export class BannedSearch {
  readonly #text: Uint8Array;
  readonly #probe: number;
  readonly #rare: number;
  /** The next rare byte that was not visited yet; -1 before the first line of the batch. */
  #next = -1;

  /** `text` has one character per byte. */
  constructor(text: string) {
    let probe = 0;
    for (let i = 1; i < text.length; i++) if (rank(text.charAt(i)) > rank(text.charAt(probe))) probe = i;
    this.#text = Buffer.from(text, "latin1");
    this.#probe = probe;
    this.#rare = this.#text[probe]!;
  }

  /** Call it before each batch; the lines must then come in their order. */
  begin(): void {
    this.#next = -1;
  }

  /**
   * One of the hosts in the line when all are banned, so that the line can be skipped; null when any host is not banned or is a
   * name, or when there is none. So an attacker who quotes a banned address in a line is still seen.
   */
  bannedHost(bytes: Buffer, from: number, end: number, banned: BannedHosts, filter: number): Address | null {
    let found: Address | null = null;
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
      if (host === null || !banned.isBanned(filter, host)) return null;
      found = host;
    }
    return found;
  }

  #seek(bytes: Buffer, from: number): void {
    const at = bytes.indexOf(this.#rare, from);
    this.#next = at < 0 ? Number.MAX_SAFE_INTEGER : at;
  }
}

/** The most frequent bytes of logs, most frequent first. All others count as rarer. */
const BY_FREQUENCY = " eotarnsidlc0125u3mp4h=.:6789f[],-g";

function rank(char: string): number {
  const place = BY_FREQUENCY.indexOf(char);
  return place < 0 ? BY_FREQUENCY.length : place;
}

const BRACKET = 0x5b;
const DOT = 46;
/** Characters in the longest text of an address. */
const LONGEST = 45;

const IS_HOST_BYTE = new Uint8Array(256);
for (const byte of HOST_BYTES.members()) IS_HOST_BYTE[byte] = 1;

function stands(bytes: Buffer, first: number, end: number, text: Uint8Array): boolean {
  if (first + text.length > end) return false;
  for (let i = 0; i < text.length; i++) if (bytes[first + i] !== text[i]) return false;
  return true;
}

/** The address in a run of host bytes; null when the run is empty or not an address as a whole. */
function hostIn(bytes: Buffer, start: number, stop: number): Address | null {
  if (stop - start > LONGEST) return null;
  const v4 = v4In(bytes, start, stop);
  if (v4 !== null) return address(0, 0, V4_MARK, v4);
  return parseAddress(latin1(bytes, start, stop));
}

/** Reads four octets as parseAddress does, without making a string. */
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
