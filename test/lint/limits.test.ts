import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allDeclaredMetrics } from "../../scripts/declared-metrics.ts";
import { packageRoot } from "../../src/config/package-root.ts";
import { allLimits } from "../../src/enforce/kinds.ts";

const sources = textsOf("src", (name) => name.endsWith(".ts") && !name.endsWith(".test.ts"));
const tests = [
  ...textsOf("src", (name) => name.endsWith(".test.ts")),
  ...textsOf("test", (name) => name.endsWith(".ts")),
];

/** Their keys in `status --json`. */
const declared = new Set(
  (await allDeclaredMetrics()).flatMap(({ place, metrics }) =>
    Object.keys(metrics).map((key) => `${place.at}.${key}`),
  ),
);

const limits = allLimits();

describe.each(Object.entries(limits))("the limit %s", (name, limit) => {
  it("is what some code goes by, not a number beside it", () => {
    expect(sources.filter((text) => text.includes(`LIMITS.${name}.value`))).not.toEqual([]);
  });

  it("is driven over its edge by a test that says so in its name", () => {
    expect(tests.filter((text) => text.includes(`[limit: ${name}]`))).not.toEqual([]);
  });

  // What only `check` meets is told by its exit, not in the status of a daemon.
  if (limit.counter.startsWith("stoplog ")) return;

  it("names declared metrics, or the phrase that says what a source is doing", () => {
    for (const counter of limit.counter.split(", "))
      expect(counter === "sources.*.state" || declared.has(counter), counter).toBe(true);
  });
});

it("no test names a limit that is none", () => {
  const named = tests.flatMap((text) => [...text.matchAll(/\[limit: (\w+)\]/g)].map(([, name]) => name));
  expect(named.filter((name) => name === undefined || !Object.hasOwn(limits, name))).toEqual([]);
});

function textsOf(folder: string, wanted: (name: string) => boolean): string[] {
  const root = join(packageRoot(), folder);
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => wanted(name) && !name.endsWith("limits.test.ts") && !name.endsWith("core/limits.ts"))
    .map((name) => readFileSync(join(root, name), "utf8"));
}
