import { describe, expect, it } from "vitest";
import { allDeclaredMetrics } from "../../scripts/declared-metrics.ts";
import { STATUS } from "../support/stand-in-daemon.ts";
import { Histogram } from "../../src/core/histogram.ts";
import type { MetricGroup } from "../../src/core/metrics.ts";
import { metricsText } from "../../src/metrics/text.ts";
import { titled } from "../support/namespace.ts";
import { promtool, promtoolFault } from "../support/promtool.ts";

const groups = await allDeclaredMetrics();
const text = metricsText(filled(STATUS, groups), groups);

describe("every declared metric", () => {
  it("is written for a status that shows every part", () => {
    const written = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    const declared = groups.flatMap(({ metrics }) => Object.values(metrics).map(({ name }) => name));
    expect(written).toEqual([...new Set(declared)].toSorted());
  });

  it.skipIf(promtoolFault !== null)(titled("passes promtool check metrics", promtoolFault), () => {
    expect(promtool(["check", "metrics"], text)).toBe("");
  });

  it.skipIf(promtoolFault !== null)(titled("does not pass it with a bad name", promtoolFault), () => {
    expect(promtool(["check", "metrics"], "# TYPE t_lines counter\nt_lines 1\n")).toContain("_total");
  });
});

/** A copy with a value for every declared metric that it lacks. */
function filled(status: object, declared: readonly MetricGroup[]): object {
  const copy = structuredClone(status) as Record<string, unknown>;
  for (const { place, metrics } of declared) {
    let element = copy;
    for (const key of (place.at ?? "").split(".").filter((part) => part !== "" && part !== "*")) {
      const inner = element[key];
      element = (Array.isArray(inner) ? inner[0] : inner) as Record<string, unknown>;
    }
    for (const [key, { kind }] of Object.entries(metrics))
      element[key] ??= kind === "histogram" ? new Histogram([0.01, 1]) : 1;
  }
  return copy;
}
