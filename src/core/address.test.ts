import { isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Address,
  address,
  addressFromBytes,
  addressToBytes,
  compareAddresses,
  formatAddress,
  isV4,
  parseAddress,
  sameAddress,
  V4_MARK,
} from "./address.ts";

/** Notations differ in zeros and ones, so these are frequent. */
const group = fc.oneof(fc.constantFrom(0, 0, 0, 1, 0xffff), fc.integer({ min: 0, max: 0xffff }));
const groups = fc.array(group, { minLength: 8, maxLength: 8 });
const octet = fc.oneof(fc.constantFrom(0, 1, 255), fc.integer({ min: 0, max: 255 }));
const dotted = fc.tuple(octet, octet, octet, octet).map((octets) => octets.join("."));

/** An address in any common notation. */
const written = fc.oneof(
  dotted,
  dotted.map((v4) => `::ffff:${v4}`),
  dotted.map((v4) => `::${v4}`),
  fc.tuple(groups, dotted).map(([gs, v4]) => `${hex(gs.slice(0, 6)).join(":")}:${v4}`),
  groups.map((gs) => hex(gs).join(":")),
  fc.tuple(groups, fc.nat(8), fc.nat(8)).map(([gs, from, length]) => {
    return `${hex(gs.slice(0, from)).join(":")}::${hex(gs.slice(Math.min(8, from + length))).join(":")}`;
  }),
);

const anyAddress: fc.Arbitrary<Address> = fc.oneof(
  fc.integer().map((w3) => address(0, 0, V4_MARK, w3)),
  groups.map((gs) => fromValue(gs.reduce((value, g) => (value << 16n) | BigInt(g), 0n))),
);

describe("parseAddress()", () => {
  it("accepts what node:net accepts, with the value of a plain calculation", () => {
    fc.assert(
      fc.property(written, (text) => {
        expect(parseAddress(text)).toEqual(reference(text));
      }),
      { numRuns: 3000 },
    );
  });

  it("agrees with node:net about texts that are a few characters away from an address", () => {
    const edit = fc.record({
      at: fc.nat(45),
      drop: fc.nat(3),
      put: fc.string({
        unit: fc.constantFrom(...Array.from("0123456789afAFg:::...%/[] \0+-xé")),
        maxLength: 3,
      }),
    });
    fc.assert(
      fc.property(written, fc.array(edit, { minLength: 1, maxLength: 3 }), (text, edits) => {
        const mutated = edits.reduce(
          (t, { at, drop, put }) => t.slice(0, at) + put + t.slice(at + drop),
          text,
        );
        expect(parseAddress(mutated)).toEqual(reference(mutated));
      }),
      { numRuns: 10_000 },
    );
  });

  it("returns null for any other text, however long", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 60 }),
        (text) => {
          expect(parseAddress(text)).toEqual(reference(text));
        },
      ),
    );
    for (const text of [
      "1".repeat(100_000),
      ":".repeat(100_000),
      "1:".repeat(50_000),
      ".".repeat(100_000),
      "0::".repeat(40),
    ]) {
      expect(parseAddress(text)).toBeNull();
    }
  });

  it.each([
    "",
    " 192.0.2.1",
    "192.0.2.1 ",
    "192.0.2",
    "192.0.2.1.",
    "192.0.2.01",
    "192.0.2.256",
    "192.0.2.1/32",
    "192.0.2.1:22",
    "3221225985",
    "0xc0.0.2.1",
    "[2001:db8::1]",
    "fe80::1%eth0",
    "::ffff:192.0.2.01",
    "2001:db8::00001",
    "2001:db8:::1",
    "1::2::3",
    "1:2:3:4:5:6:7:8::",
    "1:2:3:4:5:6:7:1.2.3.4",
    ":1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "192.0.2.1::",
    "١٩٢.0.2.1",
  ])("refuses %j", (text) => expect(parseAddress(text)).toBeNull());

  it("reads ::ffff:a.b.c.d, in any notation, as the IPv4 address, and nothing else", () => {
    const v4 = parseAddress("192.0.2.1");
    for (const text of [
      "::ffff:192.0.2.1",
      "::FFFF:c000:201",
      "0:0:0:0:0:ffff:192.0.2.1",
      "0000::ffff:c000:0201",
    ]) {
      expect(parseAddress(text)).toEqual(v4);
    }
    expect(formatAddress(parseAddress("::ffff:0:0")!)).toBe("0.0.0.0");
    for (const text of ["::192.0.2.1", "::ffff:0:192.0.2.1", "64:ff9b::192.0.2.1", "1::ffff:192.0.2.1"]) {
      expect(isV4(parseAddress(text)!)).toBe(false);
    }
    expect(formatAddress(parseAddress("::1.2.3.4")!)).toBe("::102:304");
  });
});

describe("formatAddress()", () => {
  it("reads back as the same address", () => {
    fc.assert(
      fc.property(anyAddress, (a) => {
        expect(parseAddress(formatAddress(a))).toEqual(a);
      }),
      { numRuns: 2000 },
    );
  });

  it("writes what a URL makes of the address", () => {
    fc.assert(
      fc.property(anyAddress, (a) => {
        const long = hex(groupsOf(a)).join(":");
        const canonical = isV4(a)
          ? new URL(`http://${a.w3 >>> 0}/`).hostname
          : new URL(`http://[${long}]/`).hostname.slice(1, -1);
        expect(formatAddress(a)).toBe(canonical);
      }),
      { numRuns: 2000 },
    );
  });

  // RFC 5952, sections 1, 2 and 4.
  it.each([
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:0:0:0:2:1", "2001:db8::2:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["1:0:0:0:0:0:0:0", "1::"],
  ])("writes %s as %s", (text, canonical) => expect(formatAddress(parseAddress(text)!)).toBe(canonical));
});

describe("addresses as bytes", () => {
  it("come back the same, in network order", () => {
    fc.assert(
      fc.property(anyAddress, fc.nat(5), (a, offset) => {
        const bytes = addressToBytes(a);
        const padded = new Uint8Array([...new Uint8Array(offset), ...bytes, 7]);
        expect(addressFromBytes(padded, offset, isV4(a) ? 4 : 16)).toEqual(a);
      }),
    );
    expect([...addressToBytes(parseAddress("192.0.2.255")!)]).toEqual([192, 0, 2, 255]);
  });

  it("recognise a mapped address in a 16-byte field as IPv4", () => {
    const bytes = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1]);
    expect(formatAddress(addressFromBytes(bytes, 0, 16))).toBe("192.0.2.1");
  });
});

describe("compareAddresses()", () => {
  it("orders IPv4 before IPv6, and both by their unsigned value", () => {
    fc.assert(
      fc.property(anyAddress, anyAddress, (a, b) => {
        const rank = (x: Address): bigint => (isV4(x) ? toValue(x) & 0xffffffffn : toValue(x) + (1n << 32n));
        expect(Math.sign(compareAddresses(a, b))).toBe(rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0);
        expect(sameAddress(a, b)).toBe(toValue(a) === toValue(b));
      }),
      { numRuns: 1000 },
    );
  });
});

/** The address by node:net and a plain calculation. */
function reference(text: string): Address | null {
  if (isIPv4(text)) return fromValue((0xffffn << 32n) | v4Value(text));
  if (!isIPv6(text) || text.includes("%")) return null;
  const plain = text.replace(/[^:]*\.[^:]*$/, (v4) =>
    hex([Number(v4Value(v4) >> 16n), Number(v4Value(v4) & 0xffffn)]).join(":"),
  );
  const [head = [], tail] = plain.split("::").map((half) => (half === "" ? [] : half.split(":")));
  const all =
    tail === undefined ? head : [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
  return fromValue(all.reduce((value, g) => (value << 16n) | BigInt(`0x${g}`), 0n));
}

function v4Value(text: string): bigint {
  return text.split(".").reduce((value, o) => (value << 8n) | BigInt(o), 0n);
}

function fromValue(value: bigint): Address {
  const word = (shift: bigint): number => Number((value >> shift) & 0xffffffffn);
  return address(word(96n), word(64n), word(32n), word(0n));
}

function toValue(a: Address): bigint {
  return [a.w0, a.w1, a.w2, a.w3].reduce((value, word) => (value << 32n) | BigInt(word >>> 0), 0n);
}

function groupsOf(a: Address): number[] {
  return [a.w0, a.w1, a.w2, a.w3].flatMap((word) => [word >>> 16, word & 0xffff]);
}

function hex(gs: readonly number[]): string[] {
  return gs.map((g) => g.toString(16));
}
