import type { Metric, MetricGroup } from "../core/metrics.ts";

/** docs/reference/metrics.md, from the declarations. */
export function metricsReference(groups: readonly MetricGroup[]): string {
  const rows = [...familiesOf(groups)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([
        name,
        {
          metric: { type, help },
          labels,
          keys,
        },
      ]) => [`\`${name}\``, type, labels.map((label) => `\`${label}\``).join(" "), keys.join(", "), help],
    );
  return `${HEAD}
${[
  ["name", "type", "labels", "in `status --json`", "what it is"],
  ["---", "---", "---", "---", "---"],
  ...rows,
]
  .map((row) => `| ${row.join(" | ")} |`)
  .join("\n")}
`;
}

const HEAD = `# Metrics

<!-- Generated from the declarations in src/ by scripts/generate-reference.ts. Do not edit. -->

\`GET /v1/metrics\` serves these in Prometheus' text format; [the guide](../guide/metrics.md) says where. A metric of
a part that is not configured is left out. Every counter starts at 0 with the process.
`;

interface Family {
  readonly metric: Metric;
  readonly labels: readonly string[];
  readonly keys: readonly string[];
}

function familiesOf(groups: readonly MetricGroup[]): ReadonlyMap<string, Family> {
  const families = new Map<string, Family>();
  for (const { place, metrics } of groups) {
    for (const [key, metric] of Object.entries(metrics)) {
      const before = families.get(metric.name);
      const own = [...(place.label === undefined ? [] : [place.label]), ...labelsOf(metric)];
      families.set(metric.name, {
        metric,
        labels: [...new Set([...(before?.labels ?? []), ...own])],
        keys: [...(before?.keys ?? []), ...keyOf(place.at, key, metric)],
      });
    }
  }
  return families;
}

function labelsOf(metric: Metric): readonly string[] {
  if (metric.kind === "histogram") return ["le"];
  if (metric.labels === undefined) return [];
  return Object.keys(typeof metric.labels === "function" ? metric.labels({}) : metric.labels);
}

/** Its key in the status; none for what JSON does not show. */
function keyOf(at: string | null, key: string, metric: Metric): readonly string[] {
  if (at === null || metric.kind === "histogram") return [];
  return [`\`${at === "" ? key : `${at}.${key}`}\``];
}
