import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allDeclaredMetrics } from "../../scripts/declared-metrics.ts";
import { packageRoot } from "../../src/config/package-root.ts";
import { allLimits } from "../../src/enforce/kinds.ts";

/**
 * A test that drives a limit over its edge carries the limit's name, `[limit: NAME]`, and must look at the limit's counter. That such
 * a test ran and passed is checked when all tests have run (scripts/limit-tests.mjs).
 */
const sources = textsOf("src", (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
const tests = [
  ...textsOf("src", (name) => name.endsWith(".test.ts")),
  ...textsOf("test", (name) => name.endsWith(".ts")),
];

/** The metrics that parts declare, by their keys in `status --json`. */
const declared = new Set(
  (await allDeclaredMetrics()).flatMap(({ place, metrics }) =>
    Object.keys(metrics).map((key) => `${place.at}.${key}`),
  ),
);

/** What a test of a part looks at, where the part's own name for the count is not the one in the status. */
const LOOKS_AT: Readonly<Record<string, string>> = {
  recentList: "refusals",
  offenders: "offences.forgotten",
  wrongTokens: "wrong.count",
  orderBytes: "fact",
  // These two make the sender wait or connect again: the tests see that no order is lost.
  busMessages: "book.bans",
  busBytes: "lost the connection",
  orderIds: "ids.forgotten",
  underlyingBans: "below.forgotten",
  feedChanges: "replace 500",
  dfaMemory: "forgotten",
  notifyReported: '"full"',
};

const limits = allLimits();

describe.each(Object.entries(limits))("the limit %s", (name, limit) => {
  it("is read by some code", () => {
    expect(sources.filter((text) => text.includes(`LIMITS.${name}.value`))).not.toEqual([]);
  });

  it("has a test that exceeds it", () => {
    expect(testsOf(name)).not.toEqual([]);
  });

  // `stoplog check` reports these by its exit status; a daemon's status has no counter for them.
  if (limit.counter.startsWith("stoplog ")) return;

  it("has a test that looks at its counter", () => {
    const words = [LOOKS_AT[name] ?? limit.counter.split(", ").map((counter) => counter.split(".").at(-1))];
    const looking = testsOf(name).filter((text) => words.flat().some((word) => text.includes(word!)));
    expect(looking, `${words.flat().join(" or ")} in the test of ${name}`).not.toEqual([]);
  });

  it("has declared metrics as its counters, or is told in a source's state", () => {
    for (const counter of limit.counter.split(", "))
      expect(counter === "sources.*.state" || declared.has(counter), counter).toBe(true);
  });
});

it("no test names an unknown limit", () => {
  const named = tests.flatMap((text) => [...text.matchAll(/\[limit: (\w+)\]/g)].map(([, name]) => name));
  expect(named.filter((name) => name === undefined || !Object.hasOwn(limits, name))).toEqual([]);
});

/** The texts of the tests with the limit's name: from the name to the next test. */
function testsOf(name: string): string[] {
  return tests.flatMap((text) =>
    text
      .split(`[limit: ${name}]`)
      .slice(1)
      .map((rest) => rest.split(/\n {0,4}(?:it|test)[.(]/)[0]!),
  );
}

function textsOf(folder: string, include: (name: string) => boolean): string[] {
  const root = join(packageRoot(), folder);
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => include(name) && !name.endsWith("limits.test.ts") && !name.endsWith("core/limits.ts"))
    .map((name) => readFileSync(join(root, name), "utf8"));
}
