import { describe, expect, it } from "vitest";
import { Histogram } from "../core/histogram.ts";
import { counter, derivedGauge, gauge, histogram, MetricGroup, type NumberMetric } from "../core/metrics.ts";
import { metricsText } from "./text.ts";

const ignored = (reason: string): NumberMetric => counter("t_ignored_total", "Ignored.", { reason });

const JAILS = new MetricGroup(
  { at: "jails.*", label: "jail" },
  { bans: counter("t_bans_total", "Bans."), stale: ignored("stale"), trusted: ignored("trusted") },
);

describe("the text format", () => {
  it("has HELP and TYPE once, and a line for every element, sorted by name", () => {
    const jails = [
      { name: "sshd", bans: 3, stale: 1, trusted: 2, maxretry: 5 },
      { name: "smtp", bans: 0, stale: 0, trusted: 0, maxretry: 5 },
    ];
    const book = new MetricGroup({ at: "book" }, { bans: gauge("t_active_bans", "Bans in force.") });
    expect(metricsText({ jails, book: { bans: 7 } }, [JAILS, book]).split("\n")).toEqual([
      "# HELP t_active_bans Bans in force.",
      "# TYPE t_active_bans gauge",
      "t_active_bans 7",
      "# HELP t_bans_total Bans.",
      "# TYPE t_bans_total counter",
      't_bans_total{jail="sshd"} 3',
      't_bans_total{jail="smtp"} 0',
      "# HELP t_ignored_total Ignored.",
      "# TYPE t_ignored_total counter",
      't_ignored_total{jail="sshd",reason="stale"} 1',
      't_ignored_total{jail="smtp",reason="stale"} 0',
      't_ignored_total{jail="sshd",reason="trusted"} 2',
      't_ignored_total{jail="smtp",reason="trusted"} 0',
      "",
    ]);
  });

  it("labels what lies below an element with the element's name, or another key", () => {
    const kernel = new MetricGroup(
      { at: "jails.*.kernel", label: "jail" },
      { full: counter("t_full_total", "F.") },
    );
    const kinds = new MetricGroup(
      { at: "kinds.*", label: "kind", by: "kind" },
      { n: counter("t_n_total", "N.") },
    );
    const status = {
      jails: [
        { name: "sshd", kernel: { full: 2 } },
        { name: "smtp", kernel: null },
      ],
      kinds: [{ kind: "nftables", n: 1 }],
    };
    expect(samples(metricsText(status, [kernel, kinds]))).toEqual([
      't_full_total{jail="sshd"} 2',
      't_n_total{kind="nftables"} 1',
    ]);
  });

  it("leaves out what has no value, its HELP and TYPE as well", () => {
    const lag = new MetricGroup(
      { at: "sources.*", label: "source" },
      { lag: gauge("t_lag_seconds", "Lag.") },
    );
    const api = new MetricGroup({ at: "api" }, { requests: counter("t_requests_total", "Requests.") });
    expect(metricsText({ sources: [{ name: "auth", lag: null }], api: null }, [lag, api])).toBe("");
  });

  it("shows numbers made of a phrase, and labels made of one", () => {
    const group = new MetricGroup(
      { at: "" },
      {
        state: derivedGauge("t_ready", "Ready.", ({ state }) => (state === "ready" ? 1 : 0)),
        version: derivedGauge(
          "t_info",
          "Version.",
          () => 1,
          ({ version }) => ({ version: String(version) }),
        ),
      },
    );
    expect(samples(metricsText({ state: "ready", version: "1.2" }, [group]))).toEqual([
      't_info{version="1.2"} 1',
      "t_ready 1",
    ]);
  });

  it("writes the buckets of a histogram as sums up to each bound", () => {
    const delay = new Histogram([0.01, 0.1]);
    for (const value of [0.01, 0.02, 0.05, 5]) delay.observe(value);
    const group = new MetricGroup(
      { at: "enforcers.*", label: "enforcer", by: "kind" },
      { delay: histogram("t_delay_seconds", "Delay.") },
    );
    const status = { enforcers: [{ kind: "nftables", delay }] };
    expect(samples(metricsText(status, [group]))).toEqual([
      't_delay_seconds_bucket{enforcer="nftables",le="0.01"} 1',
      't_delay_seconds_bucket{enforcer="nftables",le="0.1"} 3',
      't_delay_seconds_bucket{enforcer="nftables",le="+Inf"} 4',
      't_delay_seconds_sum{enforcer="nftables"} 5.08',
      't_delay_seconds_count{enforcer="nftables"} 4',
    ]);
    expect(JSON.stringify(status)).toBe('{"enforcers":[{"kind":"nftables"}]}');
  });

  it("escapes label values and help", () => {
    const group = new MetricGroup({ at: "l.*", label: "l" }, { n: gauge("t_n", "A\\b\nc.") });
    expect(metricsText({ l: [{ name: 'a"\\\n', n: 1 }] }, [group])).toBe(
      '# HELP t_n A\\\\b\\nc.\n# TYPE t_n gauge\nt_n{l="a\\"\\\\\\n"} 1\n',
    );
  });
});

describe("a group", () => {
  it("makes objects to count in, with the plain numbers only", () => {
    const group = new MetricGroup(
      { at: "x" },
      {
        state: derivedGauge("t_ready", "R.", () => 1),
        n: counter("t_n_total", "N."),
        delay: histogram("t_delay_seconds", "D."),
      },
    );
    const stats = group.zero();
    stats.n++;
    expect([stats, group.zero()]).toEqual([{ n: 1 }, { n: 0 }]);
  });
});

function samples(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}
