import { expect, it } from "vitest";
import { isDue } from "./due.ts";

it("is due at its time, and when the clock was set back behind the beginning of the pause", () => {
  const due = (now: number): boolean => isDue(now, 1000, 100);
  expect([899, 900, 999, 1000, 5000].map(due)).toEqual([true, false, false, true, true]);
});
