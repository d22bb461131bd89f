import { Histogram } from "../core/histogram.ts";
import {
  declaredMetrics,
  type Labels,
  type Metric,
  type MetricGroup,
  type MetricPlace,
  type StatusElement,
} from "../core/metrics.ts";
import "./process.ts";

/** The media type of Prometheus' text format. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Writes every declared metric that the status document has a value for, in Prometheus' text format, sorted by name. */
export function metricsText(status: object, groups: readonly MetricGroup[] = declaredMetrics()): string {
  return [...familiesOf(groups)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, family]) => textOf(family, status))
    .join("");
}

/** Metrics that share a name: they differ in a label. */
type Family = readonly [Member, ...Member[]];

interface Member {
  readonly place: MetricPlace;
  readonly key: string;
  readonly metric: Metric;
}

function familiesOf(groups: readonly MetricGroup[]): ReadonlyMap<string, Family> {
  const families = new Map<string, Family>();
  for (const { place, metrics } of groups) {
    for (const [key, metric] of Object.entries(metrics)) {
      const before = families.get(metric.name);
      const member = { place, key, metric };
      families.set(metric.name, before === undefined ? [member] : [...before, member]);
    }
  }
  return families;
}

function textOf(family: Family, status: object): string {
  const { name, help, type } = family[0].metric;
  const samples = family.flatMap((member) => [...samplesOf(member, status)]);
  if (samples.length === 0) return "";
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${samples.join("\n")}\n`;
}

function* samplesOf({ place, key, metric }: Member, status: object): Generator<string> {
  for (const [element, label] of elementsAt(place, status)) {
    if (metric.kind === "histogram") {
      const value = element[key];
      if (value instanceof Histogram) yield* bucketsOf(metric.name, label, value);
      continue;
    }
    const more = typeof metric.labels === "function" ? metric.labels(element) : metric.labels;
    const value = metric.kind === "derived" ? metric.read(element) : element[key];
    if (typeof value === "number") yield sample(metric.name, { ...label, ...more }, value);
  }
}

function* bucketsOf(name: string, labels: Labels, { bounds, counts, sum }: Histogram): Generator<string> {
  let count = 0;
  for (let i = 0; i < counts.length; i++) {
    count += counts[i] as number;
    yield sample(`${name}_bucket`, { ...labels, le: String(bounds[i] ?? "+Inf") }, count);
  }
  yield sample(`${name}_sum`, labels, sum);
  yield sample(`${name}_count`, labels, count);
}

/** The elements of the document at a place, each with the label of its list. */
function elementsAt(
  { at, label, by = "name" }: MetricPlace,
  status: object,
): (readonly [StatusElement, Labels])[] {
  let elements: (readonly [unknown, Labels])[] = [[status, {}]];
  for (const key of (at ?? "").split(".").filter((part) => part !== "")) {
    elements = elements.flatMap(([value, labels]) => {
      if (key !== "*") return isElement(value) ? [[value[key], labels] as const] : [];
      if (!Array.isArray(value)) return [];
      return value.map(
        (one: unknown) =>
          [
            one,
            label !== undefined && isElement(one) ? { ...labels, [label]: String(one[by]) } : labels,
          ] as const,
      );
    });
  }
  return elements.flatMap(([value, labels]) => (isElement(value) ? [[value, labels] as const] : []));
}

function isElement(value: unknown): value is StatusElement {
  return typeof value === "object" && value !== null;
}

function sample(name: string, labels: Labels, value: number): string {
  const pairs = Object.entries(labels).map(
    ([key, text]) => `${key}="${escaped(text).replaceAll('"', '\\"')}"`,
  );
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
