import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { address, addressToBytes, isV4, V4_MARK } from "../../core/address.ts";
import { addressBits, prefixContains, prefixOf } from "../../core/prefix.ts";
import { Banned } from "./banned.ts";

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
/** Near each other, so that prefixes do hold addresses. */
const near = fc.oneof(
  fc.integer({ min: 0, max: 63 }).map((n) => address(0, 0, V4_MARK, 0x0a00_0000 + n)),
  fc.integer({ min: 0, max: 63 }).map((n) => address(0x2001_0db8, 0, 0, n)),
  fc.tuple(word, word, word, word).map(([w0, w1, w2, w3]) => address(w0, w1, w2, w3)),
);
const prefix = fc
  .tuple(near, fc.nat({ max: 128 }))
  .map(([a, length]) => prefixOf(a, Math.max(0, addressBits(a) - (length % 40))));

describe("Banned", () => {
  it("contains an address in a packet's bytes when one of its prefixes does", () => {
    fc.assert(
      fc.property(fc.array(prefix, { maxLength: 8 }), near, fc.nat({ max: 9 }), (prefixes, a, offset) => {
        const banned = new Banned();
        for (const each of prefixes) banned.add(each);
        const wanted = prefixes.some((each) => prefixContains(each, a));
        const bytes = new Uint8Array(32);
        const view = new DataView(bytes.buffer);
        const mapped = new Uint8Array(16);
        new DataView(mapped.buffer).setInt32(8, V4_MARK);
        mapped.set(addressToBytes(a), isV4(a) ? 12 : 0);
        bytes.set(mapped, offset);
        expect(banned.holdsV6(view, offset)).toBe(wanted);
        if (isV4(a)) expect(banned.holdsV4(view, offset + 12)).toBe(wanted);
      }),
    );
  });
});
