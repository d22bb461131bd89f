import { describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { FUZZ_SECONDS } from "../support/budget.ts";
import { cutsAt } from "../../src/match/cut/cuts.ts";
import { createMatcher } from "../../src/match/matcher.ts";
import { CONTEXT } from "../filters/library.ts";
import { searchSlowest, type Target, targets } from "./slow-line-search.ts";

/** Ten times what the worst pattern takes on the machine this was written on. The bound on steps holds on every machine. */
const MOST_MILLISECONDS = 100;

const all = targets();
const share = (FUZZ_SECONDS * 1000) / all.length;

describe.each(all)("$name", (target) => {
  it(
    "has no line that costs more than the limit",
    () => {
      const seed = Math.floor(Math.random() * 2 ** 31);
      const { milliseconds, work, line, tried } = searchSlowest(target, share, seed);
      expect(tried).toBeGreaterThan(0);
      const found = `seed ${seed}, line ${JSON.stringify(line)}`;
      expect(work, found).toBeLessThanOrEqual(LIMITS.lineWork.value * 1.02);
      expect(workOfCut(target, line), found).toBeLessThanOrEqual(LIMITS.lineWork.value * 1.02);
      expect(milliseconds, found).toBeLessThan(MOST_MILLISECONDS);
    },
    share + 30_000,
  );
});

/** The work of the same line when it is cut at its end. */
function workOfCut({ filter }: Target, line: string): number {
  const matcher = createMatcher([filter]);
  const bytes = Buffer.from(`${line}\n`, "latin1");
  const context = { ...CONTEXT, cuts: cutsAt(line.length, []) };
  matcher.scan({ bytes, start: 0, end: bytes.length, backlog: false }, context, () => undefined);
  return matcher.stats.work;
}
