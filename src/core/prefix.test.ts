import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Address, address, formatAddress, isV4, parseAddress, V4_MARK } from "./address.ts";
import {
  comparePrefixes,
  formatPrefix,
  hostPrefix,
  isHost,
  mappedLength,
  parsePrefix,
  type Prefix,
  prefixContains,
  prefixCovers,
  prefixOf,
  samePrefix,
  wordMask,
} from "./prefix.ts";

const word = fc.oneof(fc.constantFrom(0, 1, -1, V4_MARK), fc.integer());
const v4 = fc.integer().map((w3) => address(0, 0, V4_MARK, w3));
const v6 = fc.tuple(word, word, word, word).map((ws) => address(...ws));
const anyAddress = fc.oneof(v4, v6);
const anyPrefix = fc.tuple(anyAddress, fc.nat(128)).map(([a, n]) => prefixOf(a, isV4(a) ? n % 33 : n));

/** First and last address of a network, as numbers of its family. */
function range(prefix: Prefix): { family: 4 | 6; first: bigint; last: bigint } {
  const bits = BigInt(isV4(prefix.address) ? 32 : 128);
  const size = 1n << (bits - BigInt(prefix.length));
  const first = (value(prefix.address) / size) * size;
  return { family: isV4(prefix.address) ? 4 : 6, first, last: first + size - 1n };
}

function value({ w0, w1, w2, w3 }: Address): bigint {
  const whole = [w0, w1, w2, w3].reduce((v, w) => (v << 32n) | BigInt(w >>> 0), 0n);
  return isV4({ w0, w1, w2, w3 }) ? whole & 0xffffffffn : whole;
}

describe("prefixOf()", () => {
  it("clears the host bits and keeps the family", () => {
    fc.assert(
      fc.property(anyAddress, fc.nat(128), (a, n) => {
        const length = isV4(a) ? n % 33 : n;
        const prefix = prefixOf(a, length);
        expect(isV4(prefix.address)).toBe(isV4(a));
        expect(value(prefix.address)).toBe(range({ address: a, length }).first);
        expect(mappedLength(prefix)).toBe(isV4(a) ? length + 96 : length);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([-1, 33, 1.5, Number.NaN, Infinity])("refuses %d bits of an IPv4 address", (length) => {
    expect(() => prefixOf(parseAddress("192.0.2.1")!, length)).toThrow(
      new RangeError(`Cannot make a prefix: length must be 0 to 32, not ${length}`),
    );
  });

  it("refuses 129 bits of an IPv6 address", () => {
    expect(() => prefixOf(parseAddress("2001:db8::1")!, 129)).toThrow(RangeError);
  });
});

describe("prefixContains() and prefixCovers()", () => {
  it("agree with ranges of numbers, and never mix families", () => {
    const near = fc.tuple(anyPrefix, fc.nat(128), word).map(([p, n, w]) => {
      const { w0, w1, w2, w3 } = p.address;
      const a = isV4(p.address)
        ? address(0, 0, V4_MARK, w3 ^ (w >>> (n % 32)))
        : address(w0 ^ (n < 8 ? w : 0), w1, w2, w3 ^ w);
      return [p, prefixOf(a, isV4(a) ? n % 33 : n)] as const;
    });
    fc.assert(
      fc.property(fc.oneof(near, fc.tuple(anyPrefix, anyPrefix)), ([outer, inner]) => {
        const o = range(outer);
        const i = range(inner);
        const holdsFirst = o.family === i.family && o.first <= i.first && i.first <= o.last;
        expect(prefixContains(outer, inner.address)).toBe(holdsFirst);
        expect(prefixCovers(outer, inner)).toBe(holdsFirst && i.last <= o.last);
      }),
      { numRuns: 3000 },
    );
  });

  it("keep IPv4 out of every IPv6 network, ::/0 too", () => {
    const a = parseAddress("192.0.2.1")!;
    expect(prefixContains(parsePrefix("::/0")!, a)).toBe(false);
    expect(prefixContains(parsePrefix("::fffe:0:0/95")!, a)).toBe(false);
    expect(prefixContains(parsePrefix("0.0.0.0/0")!, a)).toBe(true);
    expect(prefixContains(parsePrefix("0.0.0.0/0")!, parseAddress("::1")!)).toBe(false);
  });
});

describe("parsePrefix()", () => {
  it("reads what formatPrefix() writes", () => {
    fc.assert(
      fc.property(anyPrefix, (prefix) => {
        expect(parsePrefix(formatPrefix(prefix))).toEqual(prefix);
      }),
      { numRuns: 1000 },
    );
  });

  it("reads a dotted mask as its length", () => {
    fc.assert(
      fc.property(v4, fc.integer({ min: 0, max: 32 }), (a, length) => {
        const mask = formatAddress(address(0, 0, V4_MARK, wordMask(length)));
        expect(parsePrefix(`${formatAddress(a)}/${mask}`)).toEqual(prefixOf(a, length));
      }),
    );
  });

  it("reads a network within ::ffff:0:0/96 as IPv4", () => {
    fc.assert(
      fc.property(v4, fc.integer({ min: 96, max: 128 }), (a, length) => {
        expect(parsePrefix(`::ffff:${formatAddress(a)}/${length}`)).toEqual(prefixOf(a, length - 96));
      }),
    );
    expect(formatPrefix(parsePrefix("::ffff:10.0.0.0/104")!)).toBe("10.0.0.0/8");
    expect(formatPrefix(parsePrefix("::ffff:0:0/96")!)).toBe("0.0.0.0/0");
  });

  it.each([
    ["192.0.2.77/24", "192.0.2.0/24"],
    ["192.0.2.77/32", "192.0.2.77"],
    ["192.0.2.77", "192.0.2.77"],
    ["10.1.2.3/255.0.0.0", "10.0.0.0/8"],
    ["255.255.255.255/0", "0.0.0.0/0"],
    ["10.1.2.3/0.0.0.0", "0.0.0.0/0"],
    ["2001:db8::ffff/64", "2001:db8::/64"],
    ["2001:db8::1/128", "2001:db8::1"],
    ["::1/0", "::/0"],
  ])("reads %s as %s", (text, canonical) => expect(formatPrefix(parsePrefix(text)!)).toBe(canonical));

  it.each([
    "192.0.2.0/33",
    "192.0.2.0/-1",
    "192.0.2.0/",
    "192.0.2.0/ 24",
    "192.0.2.0/+24",
    "192.0.2.0/24/24",
    "192.0.2.0/0024",
    "192.0.2.0/255.0.255.0",
    "192.0.2.0/0.0.0.255",
    "192.0.2.0/::ffff:255.0.0.0",
    "::ffff:10.0.0.0/95",
    "::ffff:10.0.0.0/8",
    "::ffff:10.0.0.0/255.0.0.0",
    "2001:db8::/129",
    "2001:db8::/ffff::",
    "2001:db8::/255.255.0.0",
    "/24",
    "",
  ])("refuses %j", (text) => expect(parsePrefix(text)).toBeNull());
});

describe("prefixes", () => {
  it("of one address are hosts", () => {
    fc.assert(
      fc.property(anyPrefix, (p) => {
        expect(isHost(p)).toBe(range(p).first === range(p).last);
        expect(hostPrefix(p.address)).toEqual(prefixOf(p.address, isV4(p.address) ? 32 : 128));
      }),
    );
  });

  it("are ordered by address, then the larger network first", () => {
    fc.assert(
      fc.property(fc.array(anyPrefix, { maxLength: 20, size: "max" }), (prefixes) => {
        const sorted = prefixes.toSorted(comparePrefixes).map(range);
        for (const [i, b] of sorted.entries()) {
          const a = sorted[i - 1];
          if (a === undefined) continue;
          const inOrder =
            a.family < b.family ||
            (a.family === b.family && (a.first < b.first || (a.first === b.first && a.last >= b.last)));
          expect(inOrder).toBe(true);
        }
      }),
    );
    expect(samePrefix(parsePrefix("10.0.0.0/8")!, parsePrefix("10.9.9.9/8")!)).toBe(true);
    expect(samePrefix(parsePrefix("10.0.0.0/8")!, parsePrefix("10.0.0.0/9")!)).toBe(false);
  });
});
