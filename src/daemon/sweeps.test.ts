import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Sweeps } from "./sweeps.ts";

/** `size` expired entries; notes how many each step removed. */
function heap(size: number): { sweep: (limit: number) => number; steps: number[] } {
  const steps: number[] = [];
  let left = size;
  return {
    steps,
    sweep(limit) {
      const taken = Math.min(limit, left);
      left -= taken;
      steps.push(taken);
      return taken;
    },
  };
}

describe("Sweeps", () => {
  it("removes a few entries at once", () => {
    const heaps = [heap(3), heap(0), heap(999)];
    new Sweeps().start(heaps.map(({ sweep }) => sweep));
    expect(heaps.map(({ steps }) => steps)).toEqual([[3], [0], [999]]);
  });

  it("removes many entries in steps with turns between them, and leaves the rest to the next round", async () => {
    const bans = heap(50_000);
    const counts = heap(10);
    const sweeps = new Sweeps();
    sweeps.start([bans.sweep, counts.sweep]);
    expect([bans.steps, counts.steps]).toEqual([[1000], []]);
    sweeps.start([bans.sweep]);
    expect(bans.steps).toEqual([1000]);
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    expect(bans.steps).toEqual(Array<number>(20).fill(1000));
    expect(counts.steps).toEqual([10]);
    sweeps.start([bans.sweep]);
    expect(bans.steps).toHaveLength(21);
  });
});
