import { describe, expect, it } from "vitest";
import { Pace } from "./pace.ts";

describe("Pace", () => {
  it("makes exactly the rate, however irregular the calls", () => {
    const pace = new Pace(1000);
    let made = 0;
    for (const elapsed of [
      0, 1, 7, 7, 50, 51, 120, 200, 299, 333, 400, 490, 555, 650, 730, 800, 870, 930, 1000,
    ]) {
      made += pace.take(elapsed, Infinity);
    }
    expect([made, pace.missed]).toEqual([1000, 0]);
  });

  it("skips and counts what is late instead of making it all at once", () => {
    const pace = new Pace(1000);
    expect(pace.take(5000, Infinity)).toBe(100);
    expect(pace.missed).toBe(4900);
    expect(pace.take(5010, Infinity)).toBe(10);
  });

  it("makes no more than the limit of open attempts allows", () => {
    const pace = new Pace(1000);
    expect(pace.take(50, 20)).toBe(20);
    expect(pace.take(60, 0)).toBe(0);
    expect(pace.missed).toBe(40);
  });
});
