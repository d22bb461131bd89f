import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Paced } from "./paced.ts";

describe("a paced task", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("runs at once, and then once for all requests of a pause", async () => {
    let runs = 0;
    const paced = new Paced(async () => void runs++, 1000, noFailure);
    paced.request();
    await paced.settled();
    expect(runs).toBe(1);
    for (let i = 0; i < 50; i++) paced.request();
    await vi.advanceTimersByTimeAsync(999);
    expect(runs).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(runs).toBe(2);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(runs).toBe(2);
  });

  it("runs once more for requests that come while it runs", async () => {
    const ends: (() => void)[] = [];
    const paced = new Paced(() => new Promise((resolve) => ends.push(resolve)), 1000, noFailure);
    paced.request();
    paced.request();
    paced.request();
    let isSettled = false;
    void paced.settled().then(() => (isSettled = true));
    ends[0]?.();
    await vi.advanceTimersByTimeAsync(1000);
    expect([ends.length, isSettled]).toEqual([2, false]);
    ends[1]?.();
    await vi.advanceTimersByTimeAsync(5000);
    expect([ends.length, isSettled]).toEqual([2, true]);
  });

  it("rejects with what a run throws, hands it over when nothing waits, and runs again when requested", async () => {
    const failed: unknown[] = [];
    let fault: Error | null = new Error("it is broken");
    const task = async (): Promise<void> => {
      if (fault !== null) throw fault;
    };
    const paced = new Paced(task, 1000, (thrown) => failed.push(thrown));
    paced.request();
    await expect(paced.settled()).rejects.toThrow("it is broken");
    await expect(paced.settled()).rejects.toThrow("it is broken");
    expect(failed).toEqual([]);
    paced.request();
    await vi.advanceTimersByTimeAsync(1000);
    expect(failed).toEqual([fault]);
    fault = null;
    paced.request();
    await vi.advanceTimersByTimeAsync(1000);
    await paced.settled();
  });

  it("finishes without a pause", async () => {
    let runs = 0;
    const paced = new Paced(async () => void runs++, 3_600_000, noFailure);
    paced.request();
    paced.request();
    await paced.finish();
    expect(runs).toBe(2);
  });
});

function noFailure(thrown: unknown): void {
  throw thrown;
}
