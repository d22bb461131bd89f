import type { CostClass } from "./cost-class.ts";
import type { CompiledFilter, PatternList } from "../filter/filter.ts";
import type { CompiledTest } from "../filter/pattern.ts";

/** A pattern that costs more than others. */
export interface PatternCost {
  readonly list: PatternList;
  /** The place in the list. */
  readonly index: number;
  readonly cost: CostClass;
  /** It has no literal, so it is tried on every line. */
  readonly isEveryLine: boolean;
}

/** The expensive patterns of a filter, prefregex first. */
export function patternCosts({ patterns, ignore, prefix }: CompiledFilter): PatternCost[] {
  const tests: [PatternList, number, CompiledTest][] = patterns.map((pattern) => [
    pattern.kind === "good" ? "goodregex" : "failregex",
    pattern.index,
    pattern,
  ]);
  if (prefix !== null) tests.unshift(["prefregex", 0, prefix]);
  ignore.forEach((test, index) => tests.push(["ignoreregex", index, test]));
  return tests
    .map(([list, index, { cost, requirements }]) => {
      const isFirst = list === "failregex" || list === "goodregex";
      const isFound = requirements.length > 0 || (prefix?.requirements.length ?? 0) > 0;
      return { list, index, cost, isEveryLine: isFirst && !isFound };
    })
    .filter(({ cost, isEveryLine }) => cost !== "linear" || isEveryLine);
}
