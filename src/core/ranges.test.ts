import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { address, type Address, formatAddress, parseAddress, V4_MARK } from "./address.ts";
import { formatPrefix, parsePrefix, type Prefix, prefixOf } from "./prefix.ts";
import {
  addressIn,
  countAddresses,
  countNetworks,
  countRanges,
  endsOf,
  mergeRanges,
  networksOf,
  RangeCollector,
  rangeAt,
  type Ranges,
  withoutRanges,
} from "./ranges.ts";
import { atOnce } from "./turns.ts";

describe("ranges", () => {
  it("are merged if they overlap or touch", () => {
    const merged = atOnce(mergeRanges(of("192.0.2.128/25", "192.0.2.0/25", "198.51.100.7", "192.0.2.9")));
    expect(spelled(merged)).toEqual(["192.0.2.0-192.0.2.255", "198.51.100.7-198.51.100.7"]);
    expect(atOnce(countAddresses(merged))).toBe(257);
  });

  it("reach to the last address of their family", () => {
    const top = atOnce(mergeRanges(of("255.255.255.255", "255.255.255.254", "255.255.255.255", "0.0.0.0")));
    expect(spelled(top)).toEqual(["0.0.0.0-0.0.0.0", "255.255.255.254-255.255.255.255"]);
    expect(spelled(atOnce(withoutRanges(top, of("255.255.255.255"), () => {})))).toEqual([
      "0.0.0.0-0.0.0.0",
      "255.255.255.254-255.255.255.254",
    ]);
    const all = of("::/0");
    expect(networks(all)).toEqual(["::/0"]);
    expect(atOnce(countAddresses(all))).toBe(2 ** 128);
    expect(
      atOnce(networksOf(atOnce(withoutRanges(all, of("::"), () => {})))).map(({ length }) => length),
    ).toEqual(Array.from({ length: 128 }, (_, i) => 128 - i));
  });

  it("are split around a hole, which is reported", () => {
    const met: number[][] = [];
    const holes = atOnce(mergeRanges(of("198.51.100.7", "203.0.113.0/24")));
    const rest = atOnce(withoutRanges(of("198.51.100.0/24"), holes, (...hole) => met.push(hole)));
    expect(spelled(rest)).toEqual(["198.51.100.0-198.51.100.6", "198.51.100.8-198.51.100.255"]);
    expect(networks(rest)).toEqual([
      "198.51.100.6",
      "198.51.100.4/31",
      "198.51.100.0/30",
      "198.51.100.8/29",
      "198.51.100.16/28",
      "198.51.100.32/27",
      "198.51.100.64/26",
      "198.51.100.128/25",
    ]);
    expect(met).toEqual([[0, 1]]);
  });

  it("carry and borrow across the words of an IPv6 address", () => {
    const merged = atOnce(mergeRanges(of("2001:db8:0:1::/64", "2001:db8::/64", "2001:db8:0:2::")));
    expect(spelled(merged)).toEqual(["2001:db8::-2001:db8:0:2::"]);
    expect(networks(merged)).toEqual(["2001:db8:0:2::", "2001:db8::/63"]);
    expect(spelled(atOnce(withoutRanges(merged, of("2001:db8:0:1::"), () => {})))).toEqual([
      "2001:db8::-2001:db8::ffff:ffff:ffff:ffff",
      "2001:db8:0:1::1-2001:db8:0:2::",
    ]);
  });

  it.each([
    ["IPv4", (n: number): Address => address(0, 0, V4_MARK, 0xfffffff0 + n), 28],
    ["IPv6 in its lowest word", (n: number): Address => address(0x20010db8, 0, 0, n), 124],
    ["IPv6 across words", (n: number): Address => address(0x20010db8, n, n === 15 ? -1 : 0, 0), 124],
  ])("agree with a plain set of sixteen addresses: %s", (_, at) => {
    const some = fc.array(fc.tuple(fc.nat(15), fc.nat(15)), { maxLength: 12 });
    fc.assert(
      fc.property(some, some, (listed, taken) => {
        const ranges = atOnce(mergeRanges(collect(listed, at)));
        const rest = atOnce(withoutRanges(ranges, atOnce(mergeRanges(collect(taken, at))), () => {}));
        for (let n = 0; n < 16; n++) {
          const inside = ([a, b]: readonly [number, number]) => n >= Math.min(a, b) && n <= Math.max(a, b);
          expect(rangeAt(ranges, at(n)) >= 0).toBe(listed.some(inside));
          expect(rangeAt(rest, at(n)) >= 0).toBe(listed.some(inside) && !taken.some(inside));
        }
      }),
    );
  });

  it("cover the same addresses as their networks", () => {
    const word = fc.nat(0xffffffff);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(word, fc.integer({ min: 0, max: 32 })), { minLength: 1, maxLength: 50 }),
        (list) => {
          const collector = new RangeCollector(1);
          for (const [w, length] of list) {
            const { first, last } = endsOf(prefixOf(address(0, 0, V4_MARK, w), length));
            collector.add(first, last);
          }
          const ranges = atOnce(mergeRanges(collector.ranges));
          const made = atOnce(networksOf(ranges));
          const again = atOnce(mergeRanges(of(...networks(ranges))));
          expect(again).toEqual(ranges);
          expect(countNetworks(made)).toBeGreaterThanOrEqual(countRanges(ranges));
        },
      ),
    );
  });
});

function of(...texts: readonly string[]): Ranges {
  const collector = new RangeCollector(texts[0]!.includes(":") ? 4 : 1);
  for (const text of texts) {
    const { first, last } = endsOf(parsePrefix(text) as Prefix);
    collector.add(first, last);
  }
  return collector.ranges;
}

function collect(pairs: readonly (readonly [number, number])[], at: (n: number) => Address): Ranges {
  const collector = new RangeCollector(at(0).w2 === V4_MARK ? 1 : 4);
  for (const [a, b] of pairs) collector.add(at(Math.min(a, b)), at(Math.max(a, b)));
  return collector.ranges;
}

function spelled(ranges: Ranges): string[] {
  const { words, bounds } = ranges;
  return Array.from({ length: countRanges(ranges) }, (_, i) =>
    [0, words].map((end) => formatAddress(addressIn(ranges, bounds, i * words * 2 + end))).join("-"),
  );
}

function networks(ranges: Ranges): string[] {
  return atOnce(networksOf(ranges)).flatMap(({ length, words, firsts }) =>
    Array.from({ length: firsts.length / words }, (_, i) =>
      formatPrefix(prefixOf(addressIn(ranges, firsts, i * words), length)),
    ),
  );
}

it("no range contains an address of the other family", () => {
  expect(rangeAt(of("192.0.2.1"), parseAddress("2001:db8::1") as Address)).toBe(-1);
});
