import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { allDeclaredMetrics } from "../../scripts/declared-metrics.ts";
import { packageRoot } from "../../src/config/package-root.ts";
import { titled } from "../support/namespace.ts";
import { promtool, promtoolFault } from "../support/promtool.ts";

const RULES = join(packageRoot(), "packaging/prometheus/stoplog.rules.yml");
const dashboard = JSON.parse(
  readFileSync(join(packageRoot(), "packaging/grafana/stoplog.json"), "utf8"),
) as Dashboard;

interface Dashboard {
  readonly panels: readonly {
    readonly id: number;
    readonly title: string;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets: readonly { readonly expr: string }[];
  }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly query: unknown }[] };
}

/** Every name that a series can have. */
const series = new Set(
  (await allDeclaredMetrics()).flatMap(({ metrics }) =>
    Object.values(metrics).flatMap(({ name, type }) =>
      type === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => name + end) : [name],
    ),
  ),
);

function unknownIn(text: string): readonly string[] {
  return (text.match(/\b(?:stoplog|process)_[a-z0-9_]+/g) ?? []).filter((name) => !series.has(name));
}

describe("the Grafana dashboard", () => {
  const queries = JSON.stringify(dashboard.templating.list.map(({ query }) => query));

  it("shows only metrics that exist", () => {
    const exprs = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    expect(exprs.length).toBeGreaterThan(20);
    expect(exprs.filter((expr) => !/stoplog_|process_/.test(expr))).toEqual([]);
    expect([...exprs, queries].flatMap(unknownIn)).toEqual([]);
  });

  it.skipIf(promtoolFault !== null)(titled("has queries that promtool can read", promtoolFault), () => {
    const rules = dashboard.panels.flatMap(({ id, targets }) =>
      targets.map(({ expr }, i) => ({
        record: `panel:${id}:${i}`,
        expr: expr.replaceAll("$__rate_interval", "5m").replace(/\$\w+/g, ".*"),
      })),
    );
    // JSON is YAML.
    withFile(JSON.stringify({ groups: [{ name: "dashboard", rules }] }), (file) =>
      expect(promtool(["check", "rules", file])).toBe(""),
    );
  });

  it("can be narrowed to instances and jails", () => {
    expect(dashboard.templating.list.map(({ name }) => name)).toEqual(["datasource", "instance", "jail"]);
  });

  it("has panels that do not overlap, each with an id of its own", () => {
    const { panels } = dashboard;
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
    );
    expect(new Set(cells).size).toBe(cells.length);
  });
});

describe("the alert rules", () => {
  it("ask only for metrics that exist", () => {
    expect(unknownIn(readFileSync(RULES, "utf8"))).toEqual([]);
  });

  it("are all in the guide", () => {
    const guide = readFileSync(join(packageRoot(), "docs/guide/metrics.md"), "utf8");
    const alerts = [...readFileSync(RULES, "utf8").matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
    expect(alerts.length).toBeGreaterThan(5);
    expect(alerts.filter((name) => !guide.includes(`| \`${name}\` |`))).toEqual([]);
  });

  it.skipIf(promtoolFault !== null)(titled("pass promtool check rules", promtoolFault), () => {
    expect(promtool(["check", "rules", "--lint-fatal", RULES])).toBe("");
  });

  it.skipIf(promtoolFault !== null)(
    titled("fire when they should, by promtool test rules", promtoolFault),
    () => {
      withFile(RULES_TEST.replace("RULES", RULES), (file) => {
        expect(promtool(["test", "rules", file])).toBe("");
      });
    },
  );
});

function withFile(text: string, use: (path: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "stoplog-rules-"));
  try {
    const path = join(folder, "rules.yml");
    writeFileSync(path, text);
    use(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Instance a: an enforcer that is not ready, bans that take over half a second, a source that sheds, lines dated ahead. Instance b is well. */
const RULES_TEST = `
rule_files: [RULES]
evaluation_interval: 30s
tests:
  - interval: 30s
    input_series:
      - { series: 'stoplog_enforcer_ready{instance="a",enforcer="nftables"}', values: "1x4 0x20" }
      - { series: 'stoplog_enforcer_ready{instance="b",enforcer="nftables"}', values: "1x40" }
      - { series: 'stoplog_ban_delay_seconds_bucket{instance="a",enforcer="nftables",le="0.05"}', values: "0x40" }
      - { series: 'stoplog_ban_delay_seconds_bucket{instance="a",enforcer="nftables",le="0.5"}', values: "0x40" }
      - { series: 'stoplog_ban_delay_seconds_bucket{instance="a",enforcer="nftables",le="1"}', values: "0+10x40" }
      - { series: 'stoplog_ban_delay_seconds_bucket{instance="a",enforcer="nftables",le="+Inf"}', values: "0+10x40" }
      - { series: 'stoplog_ban_delay_seconds_bucket{instance="b",enforcer="nftables",le="0.05"}', values: "0+10x40" }
      - { series: 'stoplog_ban_delay_seconds_bucket{instance="b",enforcer="nftables",le="+Inf"}', values: "0+10x40" }
      - { series: 'stoplog_shed_lines_total{instance="a",source="auth"}', values: "0x19 5x20" }
      - { series: 'stoplog_shed_lines_total{instance="b",source="auth"}', values: "0x40" }
      - { series: 'stoplog_failures_future_total{instance="a",jail="sshd"}', values: "0+5x40" }
      - { series: 'stoplog_failures_future_total{instance="b",jail="sshd"}', values: "0x19 5x20" }
    promql_expr_test:
      - expr: count by (alertname, instance) (ALERTS{alertstate="firing"})
        eval_time: 10m
        exp_samples:
          - { labels: '{alertname="StoplogEnforcerNotReady", instance="a"}', value: 1 }
          - { labels: '{alertname="StoplogBansSlow", instance="a"}', value: 1 }
          - { labels: '{alertname="StoplogShedding", instance="a"}', value: 1 }
          - { labels: '{alertname="StoplogClockWrong", instance="a"}', value: 1 }
`;
