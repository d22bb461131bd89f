import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { BackOff, pauseAfter, tryUntilDone } from "./back-off.ts";
import { sleep } from "./sleep.ts";

const PAUSES = { first: 250, longest: 1500 };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("pauseAfter()", () => {
  it("doubles up to the longest, and stays there", () => {
    expect([1, 2, 3, 4, 5, 1e9].map((failures) => pauseAfter(failures, PAUSES))).toEqual([
      250, 500, 1000, 1500, 1500, 1500,
    ]);
  });
});

describe("BackOff", () => {
  it("begins again after a success", () => {
    const backOff = new BackOff(PAUSES);
    expect([backOff.next(), backOff.next(), backOff.failures]).toEqual([250, 500, 2]);
    backOff.reset();
    expect([backOff.failures, backOff.next()]).toEqual([0, 250]);
  });
});

describe("tryUntilDone()", () => {
  it("pauses between attempts, reports each failure, and stops at the first success", async () => {
    let attempts = 0;
    const facts: string[] = [];
    const done = tryUntilDone(
      async () => {
        if (++attempts < 4) throw new Error(`attempt ${attempts}`);
      },
      {
        pauses: PAUSES,
        signal: new AbortController().signal,
        failed: (thrown) => facts.push((thrown as Error).message),
      },
    );
    await vi.advanceTimersByTimeAsync(749);
    expect(attempts).toBe(2);
    await vi.advanceTimersByTimeAsync(1001);
    expect(await done).toBe(true);
    expect(facts).toEqual(["attempt 1", "attempt 2", "attempt 3"]);
  });

  it("ends at once when the signal aborts during a pause", async () => {
    const abort = new AbortController();
    const done = tryUntilDone(() => Promise.reject(new Error("no")), {
      pauses: PAUSES,
      signal: abort.signal,
      failed: () => undefined,
    });
    await vi.advanceTimersByTimeAsync(10);
    abort.abort();
    expect(await done).toBe(false);
  });
});

describe("sleep()", () => {
  it("resolves after the time, at an abort, and at once when it has aborted", async () => {
    const abort = new AbortController();
    const woken: string[] = [];
    void sleep(100).then(() => woken.push("time"));
    void sleep(1000, abort.signal).then(() => woken.push("abort"));
    await vi.advanceTimersByTimeAsync(100);
    abort.abort();
    await vi.advanceTimersByTimeAsync(0);
    await sleep(1000, abort.signal);
    expect(woken).toEqual(["time", "abort"]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
