import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allDeclaredMetrics } from "../../scripts/declared-metrics.ts";
import { packageRoot } from "../../src/config/package-root.ts";
import { metricsReference } from "../../src/metrics/reference.ts";

const groups = await allDeclaredMetrics();
const metrics = groups.flatMap(({ metrics: declared }) => Object.values(declared));

describe("docs/reference/metrics.md", () => {
  it("is up to date (else: node scripts/run-ts.mjs scripts/generate-reference.ts)", () => {
    const text = readFileSync(join(packageRoot(), "docs/reference/metrics.md"), "utf8");
    expect(metricsReference(groups)).toBe(text);
  });
});

describe("declared metrics", () => {
  it("have one help and one type for each name", () => {
    const texts = new Map<string, Set<string>>();
    for (const { name, type, help } of metrics)
      texts.set(name, (texts.get(name) ?? new Set()).add(`${type} ${help}`));
    expect([...texts].filter(([, each]) => each.size > 1)).toEqual([]);
  });

  it("have a place of their own in the status", () => {
    const keys = groups.flatMap(({ place, metrics: declared }) =>
      place.at === null ? [] : Object.keys(declared).map((key) => `${place.at}.${key}`),
    );
    expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
  });

  it("say what they are in one sentence", () => {
    const odd = metrics.filter(({ help }) => !/^[A-Z1].*\.$/.test(help) || help.includes("|"));
    expect(odd.map(({ name }) => name)).toEqual([]);
  });
});
