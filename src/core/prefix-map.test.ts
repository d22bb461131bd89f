import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Address, address, isV4, parseAddress, V4_MARK } from "./address.ts";
import { PrefixMap, PrefixSet } from "./prefix-map.ts";
import {
  formatPrefix,
  mappedLength,
  parsePrefix,
  type Prefix,
  prefixContains,
  prefixOf,
  samePrefix,
} from "./prefix.ts";

const p = (text: string): Prefix => parsePrefix(text)!;
const a = (text: string): Address => parseAddress(text)!;

/** Few addresses with few bits, so that networks contain each other and the addresses. */
const word = fc.constantFrom(0, 1, 0x80000000, 0xc0000000, -1, V4_MARK);
const someAddress = fc.oneof(
  word.map((w3) => address(0, 0, V4_MARK, w3)),
  fc.tuple(word, word, word, word).map((ws) => address(...ws)),
);
const somePrefix = fc
  .tuple(someAddress, fc.constantFrom(0, 1, 2, 31, 32, 33, 64, 95, 96, 97, 127, 128))
  .map(([x, n]) => prefixOf(x, isV4(x) ? n % 33 : n));

describe("PrefixMap", () => {
  it("returns what a list that is searched from end to end returns", () => {
    const step = fc.record({ remove: fc.boolean(), prefix: somePrefix, asked: someAddress });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: "max" }), (steps) => {
        const map = new PrefixMap<number>();
        let model: { prefix: Prefix; value: number }[] = [];
        for (const [value, { remove, prefix, asked }] of steps.entries()) {
          const there = model.find((entry) => samePrefix(entry.prefix, prefix));
          if (remove) expect(map.delete(prefix)).toBe(there !== undefined);
          else map.set(prefix, value);
          model = model.filter((entry) => entry !== there);
          if (!remove) model.push({ prefix, value });

          const around = model
            .filter((entry) => prefixContains(entry.prefix, asked))
            .toSorted((x, y) => mappedLength(y.prefix) - mappedLength(x.prefix));
          expect(map.find(asked)).toBe(around[0]?.value);
          expect(map.find(asked, (v) => v % 2 === 0)).toBe(
            around.find((entry) => entry.value % 2 === 0)?.value,
          );
          expect(map.get(prefix)).toBe(remove ? undefined : value);
          expect(map.size).toBe(model.length);
        }
        expect([...map.values()].toSorted((x, y) => x - y)).toEqual(
          model.map((entry) => entry.value).toSorted((x, y) => x - y),
        );
      }),
      { numRuns: 150 },
    );
  });

  it("keeps 0.0.0.0/0 and ::/0 apart", () => {
    const map = new PrefixMap<string>();
    map.set(p("::/0"), "all of IPv6");
    expect([map.find(a("192.0.2.1")), map.find(a("2001:db8::1"))]).toEqual([undefined, "all of IPv6"]);
    map.set(p("0.0.0.0/0"), "all of IPv4");
    expect([map.find(a("192.0.2.1")), map.find(a("2001:db8::1"))]).toEqual(["all of IPv4", "all of IPv6"]);
    expect(map.find(a("::fffe:0:1"))).toBe("all of IPv6");
  });

  it("holds IPv4 and IPv6 networks of the same mapped length", () => {
    const map = new PrefixMap<number>();
    map.set(p("10.0.0.0/8"), 4);
    map.set(p("2001:db8::/104"), 6);
    expect([map.find(a("10.1.2.3")), map.find(a("2001:db8::1")), map.find(a("::10.1.2.3"))]).toEqual([
      4,
      6,
      undefined,
    ]);
  });

  it("can be walked while it changes", () => {
    const map = new PrefixMap<string>();
    const texts = ["192.0.2.1", "198.51.100.0/24", "2001:db8::/32", "2001:db8::/64"];
    for (const text of texts) map.set(p(text), text);
    const seen: string[] = [];
    for (const text of map.values()) {
      seen.push(text);
      map.delete(p(text));
      map.set(p("203.0.113.0/25"), "new");
    }
    expect(seen.filter((text) => text !== "new")).toEqual([
      "192.0.2.1",
      "198.51.100.0/24",
      "2001:db8::/64",
      "2001:db8::/32",
    ]);
  });
});

describe("PrefixSet", () => {
  it("finds the longest prefix that contains an address", () => {
    const set = new PrefixSet([p("10.0.0.0/8"), p("10.9.0.0/16"), p("2001:db8::1"), p("10.0.0.0/8")]);
    const found = ["10.9.1.1", "10.8.1.1", "11.0.0.1", "2001:db8::1", "2001:db8::2"].map((text) =>
      set.find(a(text)),
    );
    expect(found.map((prefix) => prefix && formatPrefix(prefix))).toEqual([
      "10.9.0.0/16",
      "10.0.0.0/8",
      null,
      "2001:db8::1",
      null,
    ]);
    expect([set.size, set.has(a("10.0.0.0")), set.has(a("9.255.255.255"))]).toEqual([3, true, false]);
  });

  it("tells whether one of its networks overlaps another", () => {
    const set = new PrefixSet([p("192.0.2.7"), p("2001:db8:1::/48")]);
    const networks = [
      "192.0.2.0/24",
      "192.0.2.7",
      "192.0.3.0/24",
      "2001:db8::/32",
      "2001:db8:1::/64",
      "::/0",
      "0.0.0.0/0",
    ];
    expect(networks.filter((text) => set.meets(p(text)))).toEqual([
      "192.0.2.0/24",
      "192.0.2.7",
      "2001:db8::/32",
      "2001:db8:1::/64",
      "::/0",
      "0.0.0.0/0",
    ]);
  });
});
