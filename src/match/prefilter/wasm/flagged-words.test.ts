import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GramFrequency, typicalFrequency, wordAt } from "../gram-frequency.ts";
import { buildGramTable, type GramTable, HASH } from "../gram-table.ts";
import { ByteSet } from "../../filter/byte-set.ts";
import { planLiterals } from "../literal-plan.ts";
import { TYPICAL_TRAFFIC } from "../typical-traffic.ts";
import { CompiledWords, PlainWords } from "./flagged-words.ts";

const lengths = fc.integer({ min: 5, max: 12 });

/** A table for literals from typical traffic, so that it finds some. */
const tables = fc
  .array(fc.tuple(fc.nat({ max: TYPICAL_TRAFFIC.length - 12 }), lengths), { minLength: 1, maxLength: 40 })
  .map((cuts) => {
    const texts = cuts.map(([at, length]) => TYPICAL_TRAFFIC.slice(at, at + length).replaceAll("\n", " "));
    const requirements = texts.map((text) => [[Array.from(text, (char) => ByteSet.of(char.charCodeAt(0)))]]);
    return buildGramTable(planLiterals(requirements, typicalFrequency()));
  });

/** The definition, word by word. */
function flagged({ flags, flagShift, stride }: GramTable, text: Uint8Array, length: number): number[] {
  const places: number[] = [];
  for (let at = 0; at < length; at += stride) {
    if (flags[Math.imul(wordAt(text, at), HASH) >>> flagShift] === 1) places.push(at);
  }
  return places;
}

describe("compiled and plain words", () => {
  it("find the same at every length and stride", () => {
    let found = 0;
    const strides = new Set<number>();
    fc.assert(
      fc.property(tables, fc.nat({ max: 4000 }), fc.nat({ max: 6000 }), (table, from, length) => {
        strides.add(table.stride);
        for (const words of [new CompiledWords(table), new PlainWords(table)]) {
          words.text.set(Buffer.from(TYPICAL_TRAFFIC).subarray(from, from + length + 100));
          const places = Array.from(words.places.subarray(0, words.find(length)));
          const wanted = flagged(table, words.text, length);
          expect(places.slice(0, wanted.length)).toEqual(wanted);
          // Beyond the length it lists at most the rest of a group.
          expect(
            places.slice(wanted.length).every((at) => at >= length && at < length + 8 * table.stride),
          ).toBe(true);
          found += wanted.length;
        }
      }),
      { numRuns: 200 },
    );
    expect(found).toBeGreaterThan(1000);
    expect(strides.size).toBeGreaterThan(2);
  }, 60_000);

  it("have room for a block in which every word is flagged", () => {
    const nul = [Array.from({ length: 9 }, () => ByteSet.of(0))];
    const table = buildGramTable(planLiterals([[nul]], new GramFrequency()));
    expect(table.stride).toBe(8);
    for (const words of [new CompiledWords(table), new PlainWords(table)]) {
      words.text.fill(0);
      const count = words.find(words.block);
      expect(Array.from(words.places.subarray(0, count))).toEqual(
        Array.from({ length: 4096 }, (_, n) => n * 8),
      );
    }
  });
});
