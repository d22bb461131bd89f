import { expect, it } from "vitest";
import { compileFilter } from "./filter.ts";
import { createMatcher } from "./matcher.ts";
import { fixedZone } from "./timestamp/time-zone.ts";

it("a pattern that never ends is stopped, counts as no match, and is counted [limit: patternTime]", () => {
  const { filter } = compileFilter({
    name: "slow",
    failregex: ["(?!x)failure (a+)+b from <HOST>"],
    ignoreregex: [],
    goodregex: [],
  });
  if (filter === null) throw new Error("it does not compile");
  const matcher = createMatcher([filter]);
  const lines = `failure ${"a".repeat(200)}c from 192.0.2.1\nfailure ab from 192.0.2.2\n`;
  const bytes = Buffer.from(lines);
  const found: string[] = [];
  matcher.scan(
    { bytes, start: 0, end: bytes.length, backlog: false },
    { now: 0, zone: fixedZone(0) },
    (sighting) => found.push(sighting.host),
  );
  expect(found).toEqual(["192.0.2.2"]);
  expect(matcher.stats.givenUp).toBe(1);
});
