import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LruList } from "./lru-list.ts";

describe("LruList", () => {
  it("keeps the same order as an array", () => {
    const step = fc.record({ slot: fc.nat(11), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200, size: "max" }), (steps) => {
        const list = new LruList(4);
        let room = 4;
        let model: number[] = []; // newest first
        for (const { slot, remove } of steps) {
          while (slot >= room) list.grow((room *= 2));
          const there = model.includes(slot);
          if (there && remove) list.remove(slot);
          else if (there) list.touch(slot);
          else if (!remove) list.add(slot);
          model = model.filter((other) => other !== slot);
          if (!remove) model = [slot, ...model];
          expect(newestFirst(list)).toEqual(model);
          expect([list.newest, list.stalest]).toEqual([model[0] ?? -1, model.at(-1) ?? -1]);
        }
      }),
    );
  });
});

function newestFirst(list: LruList): number[] {
  const slots: number[] = [];
  for (let slot = list.newest; slot >= 0 && slots.length < 100; slot = list.olderThan(slot)) slots.push(slot);
  return slots;
}
