import { describe, expect, it } from "vitest";
import { median, quantile } from "./statistics.ts";

describe("statistics", () => {
  it("take the middle, and of an even number the mean of both", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 2, 100])).toBe(3);
  });

  it("answer quantiles with a value that was measured", () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect(quantile(hundred, 0.5)).toBe(50);
    expect(quantile(hundred, 0.99)).toBe(99);
    expect(quantile(hundred, 1)).toBe(100);
    expect(quantile([7], 0.99)).toBe(7);
  });
});
