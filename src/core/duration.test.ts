import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatDuration, parseDuration } from "./duration.ts";
import { DAY, FOREVER, HOUR, MINUTE, SECOND } from "./time.ts";

describe("parseDuration()", () => {
  it.each([
    ["90", 90 * SECOND],
    ["0", 0],
    ["1.5", 1500],
    ["10m", 10 * MINUTE],
    ["1d12h", 36 * HOUR],
    ["1h 30m", 90 * MINUTE],
    ["1h + 30m", 90 * MINUTE],
    ["1h30", HOUR + 30 * SECOND],
    ["30 1h", HOUR + 30 * SECOND],
    ["1 hour 2 minutes 3 seconds", HOUR + 2 * MINUTE + 3 * SECOND],
    ["2weeks", 14 * DAY],
    ["1mo", 30.4375 * DAY],
    ["1 year", 365.25 * DAY],
    ["250ms", 250],
    ["1.5H", 90 * MINUTE],
    ["  5 mins  ", 5 * MINUTE],
    ["-1", FOREVER],
  ])("reads %j", (text, duration) => expect(parseDuration(text)).toBe(duration));

  it.each([
    "",
    " ",
    "m",
    "-2",
    "-1h",
    "1h-30m",
    "1h+",
    "+1h",
    "1h++2m",
    "1,5h",
    "1.5.2",
    "1e3",
    "0x10",
    "1constructor",
    "1tostring",
    "forever",
    "1h; rm",
    "١٠",
    "9".repeat(400),
    "300000y",
  ])("refuses %j", (text) => expect(parseDuration(text)).toBeNull());

  it("returns a whole number of milliseconds or null for any text", () => {
    const text = fc.string({
      unit: fc.constantFrom(...Array.from("0123456789.-+ hmsdwyo\n")),
      maxLength: 40,
    });
    fc.assert(
      fc.property(text, (t) => {
        const duration = parseDuration(t);
        expect(
          duration === null || duration === FOREVER || (Number.isSafeInteger(duration) && duration >= 0),
        ).toBe(true);
      }),
      { numRuns: 2000 },
    );
    expect(parseDuration(`${"1h ".repeat(10_000)}`)).toBe(10_000 * HOUR);
    expect(parseDuration("1".repeat(100_000))).toBeNull();
  });
});

describe("formatDuration()", () => {
  it("writes what parses to the same duration", () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(), fc.maxSafeNat()), (duration) => {
        expect(parseDuration(formatDuration(duration))).toBe(duration);
      }),
    );
  });

  it.each([
    [90 * SECOND, "1m30s"],
    [HOUR, "1h"],
    [10 * DAY, "1w3d"],
    [1500, "1s500ms"],
    [0, "0s"],
    [-5, "0s"],
    [0.4, "0s"],
    [1000.4, "1s"],
    [FOREVER, "-1"],
  ])("writes %d ms as %s", (duration, text) => expect(formatDuration(duration)).toBe(text));
});
