import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fixedZone, localZone, parseTimeZone } from "./time-zone.ts";

const FAR = Date.UTC(2100, 0);
const instants = fc.integer({ min: 0, max: Date.UTC(2037, 0) / 1000 }).map((seconds) => seconds * 1000);

describe("parseTimeZone", () => {
  it.each([
    ["UTC", "+00:00"],
    ["Z", "+00:00"],
    ["+0200", "+02:00"],
    ["-05:30", "-05:30"],
    ["Europe/Berlin", "Europe/Berlin"],
    ["local", "local"],
  ])("reads %s", (text, name) => {
    expect(parseTimeZone(text)?.name).toBe(name);
  });

  it.each(["", "Berlin", "+25:00", "+02:75", "UTC+2x"])("refuses '%s'", (text) => {
    expect(parseTimeZone(text)).toBeNull();
  });
});

describe("a zone", () => {
  it("converts every local time back to its instant, whatever was cached before", () => {
    const zone = parseTimeZone("America/New_York")!;
    const format = new Intl.DateTimeFormat("sv", {
      timeZone: zone.name,
      dateStyle: "short",
      timeStyle: "medium",
    });
    fc.assert(
      fc.property(instants, (instant) => {
        const [year, month, day, hour, minute, second] = format.format(instant).split(/\D/).map(Number) as [
          number,
          number,
          number,
          number,
          number,
          number,
        ];
        const date = { year, month, day, hour, minute, second };
        // A repeated hour, read at its own time, is that hour.
        expect(zone.instantOf(date, instant)).toBe(instant);
      }),
      { numRuns: 300 },
    );
  });

  it("agrees with Date for this machine's zone", () => {
    const zone = localZone();
    fc.assert(
      fc.property(instants, (instant) => {
        const date = new Date(instant);
        const fields = {
          year: date.getFullYear(),
          month: date.getMonth() + 1,
          day: date.getDate(),
          hour: date.getHours(),
          minute: date.getMinutes(),
          second: date.getSeconds(),
        };
        expect(zone.instantOf(fields, instant)).toBe(instant);
        expect(zone.yearAt(instant)).toBe(fields.year);
      }),
    );
  });

  it("of a fixed offset is arithmetic", () => {
    const date = { year: 2026, month: 11, day: 20, hour: 14, minute: 44, second: 48 };
    expect(fixedZone(90).instantOf(date, FAR)).toBe(Date.UTC(2026, 10, 20, 13, 14, 48));
    expect(fixedZone(-90).yearAt(Date.UTC(2026, 0, 1))).toBe(2025);
  });
});
