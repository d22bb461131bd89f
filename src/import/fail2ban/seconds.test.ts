import { describe, expect, it } from "vitest";
import { DAY, FOREVER, HOUR, MINUTE, SECOND } from "../../core/time.ts";
import { readTime } from "./seconds.ts";

describe("readTime()", () => {
  it.each([
    ["600", 600 * SECOND],
    ["10m", 10 * MINUTE],
    ["1h30", HOUR + 30 * SECOND],
    ["1h 30m", HOUR + 30 * MINUTE],
    ["1 week", 7 * DAY],
    ["60 * 60 * 24", DAY],
    ["2 * (1d + 12h)", 3 * DAY],
    ["1d/2", 12 * HOUR],
    ["-1", FOREVER],
    ["-600", FOREVER],
    ["0", 0],
  ])("reads %s", (text, expected) => {
    expect(readTime(text)).toBe(expected);
  });

  it.each([
    "",
    "soon",
    "1 fortnight",
    "1/0",
    "(1",
    "1 2 *",
    "__import__('os')",
    "9".repeat(400),
    "(".repeat(199),
  ])("refuses %s", (text) => {
    expect(readTime(text)).toBeNull();
  });
});
