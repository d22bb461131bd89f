import { describe, expect, it } from "vitest";
import { DAY, HOUR, MINUTE, SECOND } from "../core/time.ts";
import { backOff, retryAfter } from "./back-off.ts";
import { NOW } from "../../test/support/notify-messages.ts";

describe("the pause before the next try", () => {
  it("doubles up to five minutes, and is at least what the server asks for, up to a day", () => {
    expect([1, 2, 3, 9, 10, 1000].map((tries) => backOff(tries, null) / SECOND)).toEqual([
      1, 2, 4, 256, 300, 300,
    ]);
    expect(backOff(1, MINUTE)).toBe(MINUTE);
    expect(backOff(20, SECOND)).toBe(5 * MINUTE);
    expect(backOff(1, 400 * DAY)).toBe(DAY);
  });

  it("is read from seconds and dates only", () => {
    expect(retryAfter("120", NOW)).toBe(2 * MINUTE);
    expect(retryAfter("0.35", NOW)).toBe(350);
    expect(retryAfter("Fri, 20 Nov 2026 01:00:00 GMT", NOW)).toBe(HOUR);
    expect(retryAfter("Fri, 20 Nov 2020 01:00:00 GMT", NOW)).toBe(0);
    for (const said of [undefined, "", "soon", "-5", "99999999999999"])
      expect(retryAfter(said, NOW)).toBeNull();
  });
});
