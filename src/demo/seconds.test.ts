import { describe, expect, it } from "vitest";
import { Seconds } from "./seconds.ts";

describe("Seconds", () => {
  it("counts an attempt in the second in which it began, once all of that second have ended", () => {
    const seconds = new Seconds();
    const [first, second] = [seconds.begin(1), seconds.begin(1)];
    const later = seconds.begin(2);
    first("refused");
    later("welcome");
    expect(seconds.take(1)).toBeNull();
    second("unanswered");
    expect(seconds.take(1)).toEqual({ tried: 2, welcome: 0, refused: 1, unanswered: 1, failed: 0 });
    expect(seconds.take(2)).toEqual({ tried: 1, welcome: 1, refused: 0, unanswered: 0, failed: 0 });
  });

  it("has zeros for a second without attempts", () => {
    expect(new Seconds().take(7)).toEqual({ tried: 0, welcome: 0, refused: 0, unanswered: 0, failed: 0 });
  });
});
