import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "./clock.ts";
import { ExpiryHeap } from "./expiry-heap.ts";
import { DAY, FOREVER, type Instant, SECOND } from "./time.ts";

const START = Date.UTC(2026, 10, 20);

describe("ExpiryHeap", () => {
  it("returns what a sorted list returns, however the clock is set", () => {
    const after = fc.oneof(
      fc.integer({ min: 0, max: 3600 * SECOND }),
      fc.constantFrom(-SECOND, DAY, FOREVER),
    );
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ kind: fc.constant("set" as const), slot: fc.nat(99), after }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), slot: fc.nat(99) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("grow" as const) }) },
      {
        weight: 1,
        arbitrary: fc.record({
          kind: fc.constant("clock" as const),
          by: fc.constantFrom(1, 60_000, -3600_000),
        }),
      },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: "max" }), (steps) => {
        const clock = new ManualClock(START);
        const heap = new ExpiryHeap(4);
        const model = new Map<number, Instant>();
        let room = 4;
        for (const s of steps) {
          if (s.kind === "grow") heap.grow((room += 10));
          else if (s.kind === "clock") {
            clock.advance(s.by);
            expect(takeDue(heap, clock.now())).toEqual(takeDueOf(model, clock.now()));
          } else if (s.kind === "remove") {
            if (model.delete(s.slot % room)) heap.remove(s.slot % room);
          } else {
            const slot = s.slot % room;
            const due = clock.now() + s.after;
            if (model.has(slot)) heap.move(slot, due);
            else heap.add(slot, due);
            model.set(slot, due);
            expect(heap.deadlineOf(slot)).toBe(due);
          }
          expect(heap.size).toBe(model.size);
          if (model.size > 0) expect(heap.deadlineOf(heap.first)).toBe(Math.min(...model.values()));
          else expect(heap.first).toBe(-1);
        }
        clock.advance(365 * DAY);
        expect(takeDue(heap, clock.now())).toEqual(takeDueOf(model, clock.now()));
      }),
      { numRuns: 150 },
    );
  });

  it("holds no more than its slots, however often deadlines change", () => {
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

/** Deadlines in order; slots with equal deadlines in any order. */
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
