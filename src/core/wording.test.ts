import { describe, expect, it } from "vitest";
import { DAY, FOREVER, HOUR, MINUTE, SECOND } from "./time.ts";
import { bytesWords, counted, countWords, durationWords, rateWords } from "./wording.ts";

describe("durationWords()", () => {
  it("names the two largest units, the second only if it is not zero", () => {
    expect(durationWords(3 * MINUTE + 12 * SECOND + 999)).toBe("3m 12s");
    expect(durationWords(DAY + 4 * HOUR + 59 * MINUTE)).toBe("1d 4h");
    expect(durationWords(DAY + 59 * MINUTE)).toBe("1d");
    expect(durationWords(400 * DAY)).toBe("400d");
    expect(durationWords(999)).toBe("0s");
  });

  it("says permanent for FOREVER, and 0s for negative durations", () => {
    expect(durationWords(FOREVER)).toBe("permanent");
    expect(durationWords(-5 * SECOND)).toBe("0s");
  });
});

describe("numbers for people", () => {
  it("are grouped by thousands", () => {
    expect([0, 999, 1000, 1_234_567].map(countWords)).toEqual(["0", "999", "1,000", "1,234,567"]);
    expect([counted(1, "ban"), counted(2, "ban"), counted(0, "entry", "entries")]).toEqual([
      "1 ban",
      "2 bans",
      "0 entries",
    ]);
  });

  it("have a fitting number of digits", () => {
    expect([0, 0.34, 9.99, 42.4, 120_000].map(rateWords)).toEqual(["0", "0.3", "10.0", "42", "120,000"]);
    expect([0, 1023, 1024, 150 * 1024, 1.25 * 2 ** 30].map(bytesWords)).toEqual([
      "0 B",
      "1023 B",
      "1.0 KiB",
      "150 KiB",
      "1.3 GiB",
    ]);
  });
});
