import { expect, it } from "vitest";
import { findableRequirements } from "./findable.ts";
import { typicalFrequency } from "./gram-frequency.ts";
import { GramPrices } from "./gram-prices.ts";
import { buildGramTable } from "./gram-table.ts";
import { chooseLiterals, Crowd } from "./literal-choice.ts";

/** The most literals that one word makes the scan compare. */
function mostForOneWord(patterns: readonly string[], crowd: Crowd | undefined): number {
  const prices = new GramPrices(typicalFrequency());
  const byPattern = patterns.map(
    (source) => chooseLiterals(findableRequirements(source), prices, 4, crowd)?.literals ?? [],
  );
  const { slots, entries } = buildGramTable({ stride: 4, byPattern });
  return Math.max(...Array.from(slots, (slot) => (slot < 0 ? 0 : (entries.indexOf(-1, slot) - slot) / 2)));
}

it("spreads patterns that begin and end alike over many words, so that no single word is expensive", () => {
  const patterns = Array.from({ length: 200 }, (_, i) => `^app: request ${i * 7919} not allowed for [^ ]+$`);
  expect(mostForOneWord(patterns, undefined)).toBeGreaterThan(50);
  expect(mostForOneWord(patterns, new Crowd())).toBeLessThanOrEqual(24);
});

it("counts a text that many patterns share once", () => {
  const patterns = Array.from({ length: 100 }, (_, i) => `failed login .*${i}`);
  expect(mostForOneWord(patterns, new Crowd())).toBe(1);
});
