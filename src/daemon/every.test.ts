import { describe, expect, it } from "vitest";
import { Every } from "./every.ts";

describe("Every", () => {
  it("is due once a period, first a period after the first call", () => {
    const every = new Every(10);
    expect([100, 109, 110, 111, 119, 120, 150, 155].map((now) => every.isDue(now))).toEqual([
      false,
      false,
      true,
      false,
      false,
      true,
      true,
      false,
    ]);
  });

  it("is due at once when the clock was set back, and once a period from there", () => {
    const every = new Every(10);
    expect([100, 50, 59, 60].map((now) => every.isDue(now))).toEqual([false, true, false, true]);
  });
});
