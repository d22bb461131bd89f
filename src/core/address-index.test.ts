import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressIndex } from "./address-index.ts";
import { V4_MARK } from "./address.ts";

type Key = readonly [number, number, number, number];

const v4 = (w3: number): Key => [0, 0, V4_MARK, w3];

describe("AddressIndex", () => {
  it("finds what a Map finds, for any order of insertion, removal and growth", () => {
    // Few keys and few seeds, so that keys repeat and searches collide.
    const key = fc.tuple(
      fc.constantFrom(0, 1),
      fc.constantFrom(0, -1),
      fc.constantFrom(V4_MARK, 0),
      fc.integer({ min: 0, max: 40 }),
    );
    const step = fc.record({ remove: fc.boolean(), key });
    fc.assert(
      fc.property(
        fc.constantFrom(0, 1, -1, 12_345),
        fc.array(step, { maxLength: 400, size: "max" }),
        (seed, steps) => {
          const index = new AddressIndex(4, seed);
          const model = new Map<string, { slot: number; key: Key }>();
          const free = [3, 2, 1, 0];
          for (const { remove, key: k } of steps) {
            const known = model.get(k.join());
            expect(index.find(...k)).toBe(known?.slot ?? -1);
            if (remove && known !== undefined) {
              index.remove(known.slot);
              model.delete(k.join());
              free.push(known.slot);
            } else if (!remove && known === undefined) {
              if (free.length === 0) {
                for (let slot = index.slots * 2 - 1; slot >= index.slots; slot--) free.push(slot);
                index.grow(index.slots * 2);
              }
              const slot = free.pop()!;
              index.insert(slot, ...k);
              model.set(k.join(), { slot, key: k });
            }
          }
          for (const { slot, key: k } of model.values()) {
            const [w0, w1, w2, w3] = k;
            expect(index.find(...k)).toBe(slot);
            expect(index.addressOf(slot)).toEqual({ w0, w1, w2, w3 });
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("ignores a second removal of the same key", () => {
    const index = new AddressIndex(2, 1);
    index.insert(0, ...v4(1));
    index.insert(1, ...v4(2));
    index.remove(0);
    index.remove(0);
    expect([index.find(...v4(1)), index.find(...v4(2))]).toEqual([-1, 1]);
  });

  const HOSTILE: Readonly<Record<string, (i: number) => Key>> = {
    "IPv4 addresses in a row": (i) => v4(0x0a000000 + i),
    "addresses of one /64 in a row": (i) => [0x20010db8, 7, 0, i],
    "the same host in networks in a row": (i) => [0x20010db8, i, 0, 1],
    "multiples of 256": (i) => v4(i << 8),
    "multiples of 4096": (i) => v4(Math.imul(i, 4096) | (i >>> 20)),
    "multiples of 2^16 in two words": (i) => [0x20010db8, 0, i << 16, (i >>> 16) << 16],
    "one bit in each of two words": (i) => [1 << (i & 31), 1 << ((i >>> 5) & 31), (i >>> 10) << 27, 0],
    "words that undo each other": (i) => [0, 0, i, i],
    "keys that MurmurHash3 cannot tell apart, eight at a time, whatever its seed": murmurTwins,
  };

  it.each(Object.keys(HOSTILE))("keeps searches short for %s", (name) => {
    const index = new AddressIndex(KEYS);
    const keyOf = HOSTILE[name]!;
    for (let i = 0; i < KEYS; i++) index.insert(i, ...keyOf(i));
    let sum = 0;
    let worst = 0;
    for (let i = 0; i < KEYS; i++) {
      const probes = index.probes(...keyOf(i));
      sum += probes;
      worst = Math.max(worst, probes);
    }
    // At half load, random keys need 1.5 probes (Knuth, volume 3, 6.4) and some 30 at worst; twins need theirs on top.
    expect(sum / KEYS).toBeLessThan(name.includes("eight") ? 12 : 1.7);
    expect(worst).toBeLessThan(name.includes("eight") ? 300 : 60);
  });

  it("keeps searches for missing keys as short", () => {
    const index = new AddressIndex(KEYS);
    for (let i = 0; i < KEYS; i++) index.insert(i, ...v4(i));
    let sum = 0;
    for (let i = 0; i < KEYS; i++) sum += index.probes(...v4(-1 - i));
    expect(sum / KEYS).toBeLessThan(2.8); // 2.5 at half load
  });
});

const KEYS = 50_000;

/**
 * In MurmurHash3, bit 18 of a mixed word becomes bit 31 of the state, which the next mixed word can flip back
 * (Aumasson and Bernstein, 2012): with four words there are three such pairs, so eight keys for each hash.
 */
function murmurTwins(i: number): Key {
  const [a, b, c, group] = [i & 1, (i >>> 1) & 1, (i >>> 2) & 1, i >>> 3];
  const m3 = group ^ (a << 18);
  const m2 = (group << 7) ^ (a << 31) ^ (b << 18);
  const m1 = 0x1234 ^ (b << 31) ^ (c << 18);
  const m0 = 0x5678 ^ (c << 31);
  return [unmixed(m0), unmixed(m1), unmixed(m2), unmixed(m3)];
}

/** The word that MurmurHash3 mixes to `m`. */
function unmixed(m: number): number {
  const rotated = Math.imul(m, inverse(0x1b873593));
  return Math.imul((rotated >>> 15) | (rotated << 17), inverse(0xcc9e2d51));
}

/** The odd number's inverse modulo 2^32: each step of Newton's doubles the bits that are right. */
function inverse(odd: number): number {
  let x = odd;
  for (let i = 0; i < 5; i++) x = Math.imul(x, 2 - Math.imul(odd, x));
  return x;
}
