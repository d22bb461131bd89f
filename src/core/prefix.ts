import {
  type Address,
  address,
  compareAddresses,
  formatAddress,
  isV4,
  parseAddress,
  sameAddress,
} from "./address.ts";

/** A network, or a single host if `length` is that of the whole address. Host bits are always zero. */
export interface Prefix {
  readonly address: Address;
  /** 0–32 for IPv4, 0–128 for IPv6. */
  readonly length: number;
}

/** The network of `length` bits around an address. Throws RangeError for a length out of the range of its family. */
export function prefixOf(a: Address, length: number): Prefix {
  const width = addressBits(a);
  if (!Number.isInteger(length) || length < 0 || length > width) {
    throw new RangeError(`Cannot make a prefix: length must be 0 to ${width}, not ${length}`);
  }
  return { address: length === width ? a : maskAddress(a, length), length };
}

/** A copy of a prefix that its owner fills again. */
export function copyPrefix({ address: { w0, w1, w2, w3 }, length }: Prefix): Prefix {
  return { address: address(w0, w1, w2, w3), length };
}

/** A prefix of one address. */
export function hostPrefix(a: Address): Prefix {
  return { address: a, length: addressBits(a) };
}

export function isHost(prefix: Prefix): boolean {
  return prefix.length === addressBits(prefix.address);
}

export function addressBits(a: Address): 32 | 128 {
  return isV4(a) ? 32 : 128;
}

/** The length as an IPv6 prefix, with IPv4 in ::ffff:0:0/96. */
export function mappedLength(prefix: Prefix): number {
  return isV4(prefix.address) ? prefix.length + 96 : prefix.length;
}

export function samePrefix(a: Prefix, b: Prefix): boolean {
  return a.length === b.length && sameAddress(a.address, b.address);
}

export function comparePrefixes(a: Prefix, b: Prefix): number {
  return compareAddresses(a.address, b.address) || a.length - b.length;
}

/** Whether the prefix contains the address. An IPv6 prefix never contains an IPv4 address. */
export function prefixContains(prefix: Prefix, a: Address): boolean {
  return isV4(prefix.address) === isV4(a) && sameAddress(prefixOf(a, prefix.length).address, prefix.address);
}

/** Whether `outer` contains every address of `inner`. */
export function prefixCovers(outer: Prefix, inner: Prefix): boolean {
  return inner.length >= outer.length && prefixContains(outer, inner.address);
}

/** Reads `ADDR`, `ADDR/BITS` or `ADDR/255.255.0.0`; clears host bits. Returns null for other text. */
export function parsePrefix(text: string): Prefix | null {
  const slash = text.indexOf("/");
  const a = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (a === null) return null;
  if (slash < 0) return hostPrefix(a);
  const length = parseLength(text.slice(slash + 1), a);
  if (length === null) return null;
  // ::ffff:0:0/96 is the space of IPv4 within IPv6. A shorter prefix would mix the families.
  const written = text.includes(":") && isV4(a) ? length - 96 : length;
  return written < 0 || written > addressBits(a) ? null : prefixOf(a, written);
}

/** `ADDR` for a host, `ADDR/BITS` for a network. */
export function formatPrefix(prefix: Prefix): string {
  const text = formatAddress(prefix.address);
  return isHost(prefix) ? text : `${text}/${prefix.length}`;
}

/** Clears all but the first `length` bits, counted in the family of the address. */
function maskAddress(a: Address, length: number): Address {
  const bits = isV4(a) ? length + 96 : length;
  return address(
    a.w0 & wordMask(bits),
    a.w1 & wordMask(bits - 32),
    a.w2 & wordMask(bits - 64),
    a.w3 & wordMask(bits - 96),
  );
}

/** A word whose first `bits` bits are set: -1 for 32 and more, 0 for none. JavaScript shifts modulo 32. */
export function wordMask(bits: number): number {
  return bits >= 32 ? -1 : bits <= 0 ? 0 : -1 << (32 - bits);
}

function parseLength(text: string, a: Address): number | null {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  const mask = isV4(a) ? parseAddress(text) : null;
  if (mask === null || !isV4(mask)) return null;
  const length = Math.clz32(~mask.w3);
  return wordMask(length) === mask.w3 ? length : null;
}
