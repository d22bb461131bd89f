import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePrefix, type Prefix } from "../../core/prefix.ts";
import {
  addressIn,
  countNetworks,
  endsOf,
  mergeRanges,
  type NetworksOfLength,
  networksOf,
  RangeCollector,
  type Ranges,
} from "../../core/ranges.ts";
import { prefixOf } from "../../core/prefix.ts";
import { atOnce } from "../../core/turns.ts";
import { condense } from "./condense.ts";

describe("condense", () => {
  it("splits the few networks in a list of hosts into hosts", () => {
    const hosts = Array.from(
      { length: 6000 },
      (_, i) => `198.${18 + (i >> 12)}.${(i >> 4) & 255}.${(i & 15) * 16}`,
    );
    const networks = atOnce(networksOf(rangesOf(...hosts, "192.0.2.0/29", "192.0.2.32/31")));
    expect(networks.map(({ length }) => length)).toEqual([32, 31, 29]);
    const condensed = atOnce(condense(networks, 0.25));
    expect(condensed.map(({ length }) => length)).toEqual([32]);
    expect(countNetworks(condensed)).toBe(6010);
    expect(rangesIn(condensed)).toEqual(rangesIn(networks));
  });

  it("does not split networks that would become many", () => {
    const networks = atOnce(networksOf(rangesOf("192.0.2.1", "44.0.0.0/8", "45.1.0.0/16")));
    expect(atOnce(condense(networks, 0.25)).map(({ length }) => length)).toEqual([32, 16]);
  });

  it("carries across the words of IPv6 networks", () => {
    const networks = atOnce(networksOf(rangesOf("2001:db8::/30", "2001:d00:0:ff00::/70", "2001:d01::/33")));
    const condensed = atOnce(condense(networks, 0.25));
    expect(condensed.map(({ length }) => length)).toEqual([70, 33]);
    expect(rangesIn(condensed)).toEqual(rangesIn(networks));
  });

  it("covers the same addresses, whatever the networks", () => {
    const word = fc.nat(0xffffffff);
    const v4 = fc.tuple(word, fc.integer({ min: 20, max: 32 }));
    fc.assert(
      fc.property(fc.array(v4, { minLength: 1, maxLength: 30 }), (list) => {
        const ranges = new RangeCollector(1);
        for (const [address, length] of list) {
          const { first, last } = endsOf(
            prefixOf(addressIn({ words: 1 }, Uint32Array.of(address), 0), length),
          );
          ranges.add(first, last);
        }
        const networks = atOnce(networksOf(atOnce(mergeRanges(ranges.ranges))));
        const condensed = atOnce(condense(networks, 0.25));
        expect(rangesIn(condensed)).toEqual(rangesIn(networks));
        expect(countNetworks(condensed)).toBeLessThanOrEqual(countNetworks(networks) + 1024);
      }),
    );
  });
});

function rangesOf(...texts: readonly string[]): Ranges {
  const collector = new RangeCollector(texts[0]!.includes(":") ? 4 : 1);
  for (const text of texts) {
    const { first, last } = endsOf(parsePrefix(text) as Prefix);
    collector.add(first, last);
  }
  return atOnce(mergeRanges(collector.ranges));
}

function rangesIn(networks: readonly NetworksOfLength[]): Ranges {
  const collector = new RangeCollector(networks[0]!.words);
  for (const { length, words, firsts } of networks) {
    for (let at = 0; at < firsts.length; at += words) {
      const { first, last } = endsOf(prefixOf(addressIn({ words }, firsts, at), length));
      collector.add(first, last);
    }
  }
  return atOnce(mergeRanges(collector.ranges));
}
