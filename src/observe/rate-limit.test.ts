import { describe, expect, it } from "vitest";
import { LIMITS } from "../core/limits.ts";
import { SECOND } from "../core/time.ts";
import { RateLimit } from "./rate-limit.ts";

describe("RateLimit", () => {
  it("lets a number through in a period, and counts what it holds back [limit: warnings]", () => {
    const most = LIMITS.warnings.value;
    const limit = new RateLimit(most, 10 * SECOND);
    const said = Array.from({ length: most + 5 }, () => limit.allow(0)).filter((allowed) => allowed);
    expect([said.length, limit.takeHeld(), limit.takeHeld(), limit.held]).toEqual([most, 5, 0, 5]);
    expect(limit.allow(10 * SECOND - 1)).toBe(false);
    expect(limit.allow(10 * SECOND)).toBe(true);
    expect(limit.held).toBe(6);
  });

  it("starts over when the clock is set back", () => {
    const limit = new RateLimit(1, SECOND);
    expect([limit.allow(5000), limit.allow(5001), limit.allow(10)]).toEqual([true, false, true]);
  });
});
