import { describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { searchSlowest, targets } from "./slow-line-search.ts";

/**
 * Looks for lines that take long: some seconds in all, or STOPLOG_FUZZ_SECONDS. The bound on the steps of a line holds on every machine;
 * that on time is ten times what the worst pattern needs here, as time is the machine's too.
 */
const SECONDS = Number(process.env["STOPLOG_FUZZ_SECONDS"] ?? 20);
const MOST_MILLISECONDS = 100;

const all = targets();
const share = (SECONDS * 1000) / all.length;

describe.each(all)("$name", (target) => {
  it(
    "has no line that costs more than the stated bound",
    () => {
      const seed = Math.floor(Math.random() * 2 ** 31);
      const { milliseconds, work, line, tried } = searchSlowest(target, share, seed);
      expect(tried).toBeGreaterThan(0);
      const found = `seed ${seed}, line ${JSON.stringify(line)}`;
      expect(work, found).toBeLessThanOrEqual(LIMITS.lineWork.value * 1.02);
      expect(milliseconds, found).toBeLessThan(MOST_MILLISECONDS);
    },
    share + 30_000,
  );
});
