import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Sweeping } from "./sweeping.ts";

/** So much is over; says how much of it was taken at a time. */
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

describe("Sweeping", () => {
  it("does at once what is little", () => {
    const heaps = [heap(3), heap(0), heap(999)];
    new Sweeping().start(heaps.map(({ sweep }) => sweep));
    expect(heaps.map(({ steps }) => steps)).toEqual([[3], [0], [999]]);
  });

  it("takes much in steps, others' turns between them, and leaves the rest to the next round", async () => {
    const bans = heap(50_000);
    const counts = heap(10);
    const sweeping = new Sweeping();
    sweeping.start([bans.sweep, counts.sweep]);
    expect([bans.steps, counts.steps]).toEqual([[1000], []]);
    sweeping.start([bans.sweep]);
    expect(bans.steps).toEqual([1000]);
    for (let turn = 0; turn < 50; turn++) await nextTurn();
    expect(bans.steps).toEqual(Array<number>(20).fill(1000));
    expect(counts.steps).toEqual([10]);
    sweeping.start([bans.sweep]);
    expect(bans.steps).toHaveLength(21);
  });
});
