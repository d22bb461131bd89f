import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Gaps, leapTarget, sizeOf } from "./gaps.ts";

const rule = { maxBehind: 6400, maxGaps: 3 };

describe("leapTarget()", () => {
  it("is the newest 64th when more than maxBehind is unread and the file grows", () => {
    expect(leapTarget({ position: 1000, size: 7401, grew: true }, rule)).toBe(7301);
  });

  it("is null while at most maxBehind is unread, or while the file does not grow", () => {
    expect(leapTarget({ position: 1000, size: 7400, grew: true }, rule)).toBeNull();
    expect(leapTarget({ position: 0, size: 1e9, grew: false }, rule)).toBeNull();
  });

  it("is before the end, however small maxBehind is", () => {
    expect(leapTarget({ position: 0, size: 3, grew: true }, { maxBehind: 1, maxGaps: 1 })).toBe(2);
  });
});

describe("Gaps", () => {
  it("return the newest gap first, and continue where it was left", () => {
    const gaps = new Gaps(3);
    gaps.leave({ from: 0, to: 10, skipping: true });
    gaps.leave({ from: 20, to: 30, skipping: false });
    gaps.advance(25, true);
    expect(gaps.newest).toEqual({ from: 25, to: 30, skipping: true });
    gaps.advance(30, false);
    expect([gaps.newest, gaps.bytes]).toEqual([{ from: 0, to: 10, skipping: true }, 10]);
  });

  it("shed the oldest when there are too many", () => {
    const gaps = new Gaps(2);
    const shed = [0, 100, 200].map((from) =>
      gaps.leave({ from, to: from + 50 - from / 10, skipping: false }),
    );
    expect([shed, gaps.bytes, gaps.save().map(({ from }) => from)]).toEqual([[0, 0, 50], 70, [100, 200]]);
  });

  it("lose no byte: every byte is read, shed, or still in a gap", () => {
    const step = fc.oneof(
      fc.record({ leave: fc.integer({ min: 1, max: 1000 }) }),
      fc.record({ read: fc.integer({ min: 1, max: 1000 }) }),
      fc.constant({ shed: true as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (steps, most) => {
        const gaps = new Gaps(most);
        let end = 0;
        const sums = { left: 0, read: 0, shed: 0 };
        for (const one of steps) {
          if ("leave" in one) {
            sums.shed += gaps.leave({ from: end, to: end + one.leave, skipping: false });
            sums.left += one.leave;
            end += one.leave + 7;
          } else if ("read" in one) {
            const gap = gaps.newest;
            const bytes = gap === null ? 0 : Math.min(one.read, sizeOf(gap));
            gaps.advance((gap?.from ?? 0) + bytes, false);
            sums.read += bytes;
          } else sums.shed += gaps.shed();
          const saved = gaps.save();
          expect(saved.length).toBeLessThanOrEqual(most);
          expect(saved.reduce((sum, gap) => sum + sizeOf(gap), 0)).toBe(gaps.bytes);
          expect(sums.read + sums.shed + gaps.bytes).toBe(sums.left);
        }
      }),
    );
  });
});
