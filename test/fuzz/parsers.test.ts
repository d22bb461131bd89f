import { describe, expect, it } from "vitest";
import { FUZZ_SECONDS } from "../support/budget.ts";
import { isSentence, PARSERS } from "./parsers.ts";
import { search } from "./search.ts";

/** Milliseconds for each reader: half as long together as the search for slow lines. */
const EACH = (FUZZ_SECONDS * 500) / PARSERS.length;

describe("readers of foreign bytes keep their word, and throw nothing but a sentence", () => {
  it.each(PARSERS)("$name", (parser) => {
    const seed = Date.now() % 1_000_000;
    const { failure, tried } = search(parser, EACH, seed);
    expect(tried).toBeGreaterThanOrEqual(parser.samples.length);
    expect(failure, `seed ${seed}, input ${failure?.input.toString("base64") ?? ""}`).toBeNull();
  });

  it.each(PARSERS)("$name reads its own samples", ({ samples, read }) => {
    for (const sample of samples) {
      const attempt = (): void => read(sample);
      expect(attempt).not.toThrow();
    }
    expect(isSentence(new Error("x"))).toBe(false);
  });
});
