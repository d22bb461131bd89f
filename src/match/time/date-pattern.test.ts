import { describe, expect, it } from "vitest";
import { compileDatePattern } from "./date-pattern.ts";
import { fixedZone } from "./time-zone.ts";

const NOW = Date.parse("2026-11-20T15:00:00Z");

function read(pattern: string, line: string): string | null {
  const { pattern: date, fact } = compileDatePattern(pattern);
  if (date === null) throw new Error(String(fact));
  const instant = date.read(line, NOW, fixedZone(60));
  return instant === null ? null : new Date(instant).toISOString();
}

describe("a datepattern", () => {
  it.each([
    ["^%Y.%m.%d-%H.%M.%S", "2026.11.20-14.44.48 x", "2026-11-20T13:44:48.000Z"],
    ["{^LN-BEG}%d/%m/%y %T", "[20/11/26 14:44:48 x", "2026-11-20T13:44:48.000Z"],
    ["^%ExY-%Exm-%Exd %ExH:%ExM:%ExS", "2026-11-20 14:44:48 x", "2026-11-20T13:44:48.000Z"],
    ["at %b %e %H:%M:%S%z$", "x at Nov  2 14:44:48+0200", "2026-11-02T12:44:48.000Z"],
    ["^%d %B %Y %I:%M:%S %p", "20 November 2026 02:44:48 PM x", "2026-11-20T13:44:48.000Z"],
    ["^%H:%M:%S.%f %F", "14:44:48.123456 2026-11-20", "2026-11-20T13:44:48.123Z"],
    ["^%Y/%j %T", "2026/324 14:44:48", "2026-11-20T13:44:48.000Z"],
    ["ts=Epoch", "x ts=1795185888.5 y", "2026-11-20T14:44:48.500Z"],
    ["ts=LEpoch", "x ts=1795185888500 y", "2026-11-20T14:44:48.500Z"],
    ["ts=LEpoch", "x ts=1795185888500123 y", "2026-11-20T14:44:48.500Z"],
    ["ts=LEpoch", "x ts=1795185888 y", "2026-11-20T14:44:48.000Z"],
    ["{DATE}", "2026-11-20T14:44:48Z x", "2026-11-20T14:44:48.000Z"],
    ["^%Y-%m-%d %T\n^%d.%m.%Y %T", "20.11.2026 14:44:48", "2026-11-20T13:44:48.000Z"],
    ["^%Y-%m-%d %T", "2026-02-30 14:44:48", null],
    ["^%Y-%m-%d %T", "x", null],
    [".*at .*%Y-%m-%d %T", `${"at x ".repeat(1500)}2026-11-20 14:44:48`, "2026-11-20T13:44:48.000Z"],
    ["{NONE}", "2026-11-20 14:44:48", null],
    ["TAI64N", "x @400000006a1fa7da1dcd6500 y", new Date(1780459472500).toISOString()],
    ['time="{DATE}"', 'at 2020-01-01 00:00:00 time="2026-11-20T14:44:48Z"', "2026-11-20T14:44:48.000Z"],
    [String.raw`\b{DATE}`, "[INFO] 2026-11-20 14:44:48,123 x", "2026-11-20T13:44:48.123Z"],
    [
      String.raw`\b{DATE}`,
      '{"ip":"192.0.2.1","ts":"20/Nov/2026:14:44:48 +0100"}',
      "2026-11-20T13:44:48.000Z",
    ],
    [String.raw`\b{DATE}`, "x(Nov 20, 2026 2:44:48 PM)", "2026-11-20T13:44:48.000Z"],
    [String.raw`\b{DATE}`, "x=20/11/26 14:44:48", "2026-11-20T13:44:48.000Z"],
    [String.raw`\b{DATE}`, "x=11/20/26@14:44:48", "2026-11-20T13:44:48.000Z"],
    [String.raw`\b{DATE}`, "x Nov-20-26 14:44:48 1795185888", "2026-11-20T13:44:48.000Z"],
    [String.raw`\b{DATE}`, "x 1795185888", null],
  ])("%s reads '%s'", (pattern, line, instant) => {
    expect(read(pattern, line)).toBe(instant);
  });

  it.each([
    ["2028-01-01T00:10:00Z", "365 23:58:00", "2027-12-31T23:58:00.000Z"],
    ["2029-01-01T00:10:00Z", "366 23:58:00", "2028-12-31T23:58:00.000Z"],
    ["2029-01-01T00:10:00Z", "061 12:00:00", "2028-03-01T12:00:00.000Z"],
    ["2027-12-31T23:50:00Z", "001 00:00:10", "2028-01-01T00:00:10.000Z"],
    ["2026-11-20T15:00:00Z", "366 12:00:00", "2024-12-31T12:00:00.000Z"],
    ["2026-11-20T15:00:00Z", "367 12:00:00", null],
  ])("on %s day %s of a year that is not said is that of its own year", (now, line, instant) => {
    const read = compileDatePattern("^%j %T").pattern?.read(line, Date.parse(now), fixedZone(0));
    expect(typeof read === "number" ? new Date(read).toISOString() : read).toBe(instant);
  });

  it.each([
    ["2027-01-01T00:10:00Z", "00:09:58", "2027-01-01T00:09:58.000Z"],
    ["2027-01-01T00:10:00Z", "23:58:00", "2026-12-31T23:58:00.000Z"],
    ["2026-11-20T15:00:00Z", "15:00:30", "2026-11-20T15:00:30.000Z"],
    ["2026-11-20T15:00:00Z", "25:00:30", null],
  ])("on %s a time %s without a date is the last such time", (now, line, instant) => {
    const read = compileDatePattern("^%T").pattern?.read(line, Date.parse(now), fixedZone(0));
    expect(typeof read === "number" ? new Date(read).toISOString() : read).toBe(instant);
  });

  it.each([
    ["^%Y-%Q", "unknown token %Q"],
    ["{WHAT}%Y", "{WHAT} is not supported"],
    ["^nothing", "has no date token such as %Y or Epoch"],
    ["%Y %Y", "has the same token twice"],
    ["(%Y", "unterminated group"],
    ["(?=x)%Y", "has lookaround or counts above 16: cost cannot be bounded"],
    ["", "is empty"],
  ])("%s: %s", (pattern, fact) => {
    expect(compileDatePattern(pattern)).toEqual({ pattern: null, fact });
  });
});
