import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HOUR, type Instant, MINUTE } from "../../core/time.ts";
import { OrderedZone } from "./ordered-zone.ts";
import { parseTimeZone } from "./time-zone.ts";

/** When clocks went back, by how much, and what was the offset before. */
const CHANGES = [
  { name: "America/New_York", at: Date.UTC(2026, 10, 1, 6), back: HOUR, before: -4 * HOUR },
  { name: "Europe/Berlin", at: Date.UTC(2026, 9, 25, 1), back: HOUR, before: 2 * HOUR },
  { name: "Australia/Lord_Howe", at: Date.UTC(2026, 3, 4, 15), back: HOUR / 2, before: 11 * HOUR },
] as const;

describe("OrderedZone", () => {
  it.each(CHANGES)(
    "reads a log in its order over the repeated time in $name",
    ({ name, at, back, before }) => {
      const step = fc.integer({ min: -4 * MINUTE, max: back - 10 * MINUTE });
      fc.assert(
        fc.property(
          fc.array(step, { maxLength: 40 }),
          fc.integer({ min: 1000, max: HOUR }),
          (steps, earlier) => {
            const zone = new OrderedZone(parseTimeZone(name)!);
            let instant: Instant = at - earlier;
            // The first line is of a time before the repetition, or of its first pass.
            for (const later of [0, ...steps]) {
              instant =
                Math.floor(
                  (later < 0 ? zone.latest + later : Math.max(instant, zone.latest) + later) / 1000,
                ) * 1000;
              const wall = new Date(instant + before - (instant < at ? 0 : back));
              const read = zone.instantOf({
                year: wall.getUTCFullYear(),
                month: wall.getUTCMonth() + 1,
                day: wall.getUTCDate(),
                hour: wall.getUTCHours(),
                minute: wall.getUTCMinutes(),
                second: wall.getUTCSeconds(),
              });
              expect(read).toBe(instant);
              zone.latest = Math.max(zone.latest, read);
            }
          },
        ),
      );
    },
  );
});
