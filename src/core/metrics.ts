/**
 * Numbers that `status --json` and `GET /v1/metrics` show. The file that counts declares them, in one statement:
 *
 *      export const JAIL_METRICS = declareMetrics({ at: "jails.*", label: "jail" }, {
 *        good: counter("stoplog_good_lines_total", "Lines of successful logins."),
 *      });
 *
 * It counts in a plain object, `JAIL_METRICS.zero()`, with `stats.good++`. The key is also the key below `at` in `status --json`. Between
 * requests this costs nothing: /metrics is written from the status document, by these declarations.
 */
export class MetricGroup<
  Declared extends Readonly<Record<string, Metric>> = Readonly<Record<string, Metric>>,
> {
  readonly place: MetricPlace;
  readonly metrics: Declared;

  constructor(place: MetricPlace, metrics: Declared) {
    this.place = place;
    this.metrics = metrics;
  }

  /** A new object to count in. */
  zero(): Counts<Declared> {
    return Object.fromEntries(this.#keys.map((key) => [key, 0])) as Counts<Declared>;
  }

  /** The group's numbers, of an object that has more. */
  of(stats: Counts<Declared>): Counts<Declared> {
    const all = stats as Readonly<Record<string, number>>;
    return Object.fromEntries(this.#keys.map((key) => [key, all[key]])) as Counts<Declared>;
  }

  get #keys(): readonly string[] {
    return Object.keys(this.metrics).filter((key) => this.metrics[key]?.kind === "number");
  }
}

/** Where the status document has the numbers of a group. */
export interface MetricPlace {
  /**
   * `book` is an object, `jails.*` every element of a list, `jails.*.kernel` an object of every element; empty for the document
   * itself. Null for numbers that the status does not show.
   */
  readonly at: string | null;
  /** The label that tells the elements apart. */
  readonly label?: string;
  /** The element's key with the value of that label; `name` unless set. Only names of the configuration: their number is bounded. */
  readonly by?: string;
}

export type Metric = NumberMetric | DerivedMetric | HistogramMetric;

interface Described {
  readonly type: "counter" | "gauge" | "histogram";
  /** By Prometheus' conventions: base units, `_total` for a counter. */
  readonly name: string;
  /** A sentence. */
  readonly help: string;
}

/** A number under its own key in the status. */
export interface NumberMetric extends Described {
  readonly kind: "number";
  /** Further labels, with which several keys share one name. */
  readonly labels?: Labels;
}

/** A number derived from the status: from a phrase, a time, another unit. */
export interface DerivedMetric extends Described {
  readonly kind: "derived";
  /** Null for none: the series is left out. */
  readonly read: (element: StatusElement) => number | null;
  readonly labels?: Labels | ((element: StatusElement) => Labels);
}

/** The status holds a `Histogram` there, which JSON leaves out. */
export interface HistogramMetric extends Described {
  readonly kind: "histogram";
}

export type Labels = Readonly<Record<string, string>>;

export type StatusElement = Readonly<Record<string, unknown>>;

/** The numbers of a group, to count in. */
export type CountsOf<Group> = Group extends MetricGroup<infer Declared> ? Counts<Declared> : never;

type Counts<Declared> = {
  -readonly [Key in keyof Declared as Declared[Key] extends NumberMetric ? Key : never]: number;
};

/** Declares metrics for the lifetime of the process. A module that is not loaded declares nothing, and has nothing to show. */
export function declareMetrics<Declared extends Readonly<Record<string, Metric>>>(
  place: MetricPlace,
  metrics: Declared,
): MetricGroup<Declared> {
  const group = new MetricGroup(place, metrics);
  DECLARED.push(group);
  return group;
}

/** All groups of loaded modules. */
export function declaredMetrics(): readonly MetricGroup[] {
  return DECLARED;
}

const DECLARED: MetricGroup[] = [];

/** A number that only grows, from 0 at the start of the process. */
export function counter(name: string, help: string, labels?: Labels): NumberMetric {
  return { kind: "number", type: "counter", name, help, ...(labels === undefined ? {} : { labels }) };
}

/** A number that goes up and down. */
export function gauge(name: string, help: string, labels?: Labels): NumberMetric {
  return { kind: "number", type: "gauge", name, help, ...(labels === undefined ? {} : { labels }) };
}

export function derivedGauge(
  name: string,
  help: string,
  read: DerivedMetric["read"],
  labels?: DerivedMetric["labels"],
): DerivedMetric {
  return { kind: "derived", type: "gauge", name, help, read, ...(labels === undefined ? {} : { labels }) };
}

export function derivedCounter(name: string, help: string, read: DerivedMetric["read"]): DerivedMetric {
  return { kind: "derived", type: "counter", name, help, read };
}

export function histogram(name: string, help: string): HistogramMetric {
  return { kind: "histogram", type: "histogram", name, help };
}
