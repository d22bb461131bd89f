import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { SECOND } from "../core/time.ts";
import { Lookout } from "./lookout.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it.each([
  [0, 10],
  [0.1, 10],
  // A look of 2 s is followed by a pause of 8 s.
  [2, 1],
])("looks every second, but not for more than a fifth of the time: looks of %d s", async (seconds, looks) => {
  let begun = 0;
  const lookout = new Lookout(async () => {
    begun++;
    if (seconds > 0) await new Promise((resolve) => setTimeout(resolve, seconds * SECOND));
  });
  lookout.start(SECOND);
  lookout.start(SECOND);
  await vi.advanceTimersByTimeAsync(10.9 * SECOND * (seconds === 0.1 ? 1.1 : 1));
  expect(begun).toBe(looks);
  lookout.stop();
  await vi.advanceTimersByTimeAsync(30 * SECOND);
  expect(begun).toBe(looks);
});

it("stops during a look", async () => {
  let begun = 0;
  const lookout = new Lookout(async () => {
    begun++;
    await new Promise((resolve) => setTimeout(resolve, SECOND));
  });
  lookout.start(SECOND);
  await vi.advanceTimersByTimeAsync(1.5 * SECOND);
  lookout.stop();
  await vi.advanceTimersByTimeAsync(30 * SECOND);
  expect(begun).toBe(1);
});
