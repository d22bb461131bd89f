import { describe, expect, it } from "vitest";
import { ManualClock, systemClock } from "./clock.ts";
import { FOREVER, formatInstant } from "./time.ts";

describe("formatInstant()", () => {
  it("writes ISO 8601 in UTC", () => {
    expect(formatInstant(Date.UTC(2026, 10, 20, 15, 4, 5, 6))).toBe("2026-11-20T15:04:05.006Z");
  });

  it("returns null for FOREVER, and for an instant beyond the range of dates", () => {
    expect([FOREVER, 8.64e15 + 1, Number.NaN].map(formatInstant)).toEqual([null, null, null]);
    expect(formatInstant(8.64e15)).toBe("+275760-09-13T00:00:00.000Z");
  });
});

describe("ManualClock", () => {
  it("keeps its time until it is set", () => {
    const clock = new ManualClock(1000);
    clock.advance(5);
    const before = clock.now();
    clock.set(7);
    expect([before, clock.now()]).toEqual([1005, 7]);
  });
});

describe("systemClock", () => {
  it("returns the time of day", () => {
    const before = Date.now();
    const now = systemClock.now();
    expect(before <= now && now <= Date.now()).toBe(true);
  });
});
