import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "./clock.ts";
import { ExpiryHeap } from "./expiry-heap.ts";
import { DAY, FOREVER, type Instant, SECOND } from "./time.ts";

const START = Date.UTC(2026, 10, 20);

describe("ExpiryHeap", () => {
  it("gives back what a sorted list would, however the clock is set", () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constantFrom("set", "set", "set", "remove"),
        slot: fc.nat(40),
        after: fc.constantFrom(0, 1, 999, 60_000, DAY, FOREVER, -SECOND),
      }),
      fc.record({
        kind: fc.constant("clock"),
        slot: fc.constant(0),
        after: fc.constantFrom(1, SECOND, 60_000, -3600_000, 365 * DAY),
      }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const clock = new ManualClock(START);
        const heap = new ExpiryHeap(4);
        const model = new Map<number, Instant>();
        let room = 4;
        for (const { kind, slot, after } of steps) {
          while (slot >= room) heap.grow((room *= 2));
          if (kind === "clock") {
            clock.advance(after);
            expect(takeDue(heap, clock.now())).toEqual(takeDueOf(model, clock.now()));
          } else if (kind === "remove") {
            if (model.delete(slot)) heap.remove(slot);
          } else {
            const due = clock.now() + after;
            if (model.has(slot)) heap.move(slot, due);
            else heap.add(slot, due);
            model.set(slot, due);
            expect(heap.deadlineOf(slot)).toBe(due);
          }
          expect(heap.size).toBe(model.size);
          expect(heap.first < 0 ? undefined : heap.deadlineOf(heap.first)).toBe(
            model.size === 0 ? undefined : Math.min(...model.values()),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it("holds no more than the slots it was given, however often deadlines move", () => {
    const heap = new ExpiryHeap(2);
    const bytes = heap.bytes;
    heap.add(0, START);
    heap.add(1, START + 1);
    for (let i = 0; i < 10_000; i++) heap.move(i % 2, START + i);
    expect([heap.size, heap.bytes, heap.first, heap.deadlineOf(heap.first)]).toEqual([
      2,
      bytes,
      0,
      START + 9998,
    ]);
  });
});

/** Deadlines in their order; slots of equal ones come in any. */
function takeDue(heap: ExpiryHeap, now: Instant): Instant[] {
  const taken: Instant[] = [];
  while (heap.first >= 0 && heap.deadlineOf(heap.first) <= now) {
    taken.push(heap.deadlineOf(heap.first));
    heap.remove(heap.first);
  }
  return taken;
}

function takeDueOf(model: Map<number, Instant>, now: Instant): Instant[] {
  const due = [...model]
    .filter(([, deadline]) => deadline <= now)
    .map(([slot, deadline]) => ({ slot, deadline }));
  for (const { slot } of due) model.delete(slot);
  return due.map(({ deadline }) => deadline).toSorted((x, y) => x - y);
}
