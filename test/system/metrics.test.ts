import { appendFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StatusReply } from "../../src/api/wire.ts";
import { allDeclaredMetrics } from "../../scripts/declared-metrics.ts";
import { metricsText } from "../../src/metrics/text.ts";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { promtool, promtoolFault } from "../support/promtool.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault() ?? (hasProgram("curl") ? null : "needs curl");

const CONFIG = `
sources:
  auth: { type: file, path: HOME/auth.log }
  packets: { type: nflog, group: 7 }
jails:
  sshd: { sources: [auth], filter: sshd, maxretry: 3, findtime: 1h, bantime: 1h }
  scan: { sources: [packets], maxretry: 5, findtime: 1m, bantime: 1h }
metrics: { listen: "127.0.0.1:9842" }
api:
  listen: 127.0.0.1:8443
  tokens:
    reader: { secret_file: HOME/reader, read: true }
    writer: { secret_file: HOME/writer }
state: HOME/state
`;

const ADDRESSES = 3000;

const groups = await allDeclaredMetrics();

describe.skipIf(fault !== null)(titled("GET /v1/metrics of a running daemon", fault), () => {
  const server = useNamespace("metrics");
  let home: Home;
  let daemon: RunningDaemon;

  beforeEach(async () => {
    home = new Home();
    writeFileSync(home.file("reader"), "the-reader-s-secret\n");
    writeFileSync(home.file("writer"), "the-writer-s-secret\n");
    writeFileSync(home.file("auth.log"), "");
    home.configure(CONFIG);
    daemon = await RunningDaemon.start(home, server);
  });
  afterEach(async () => {
    await daemon.end();
    server.run("nft", "flush", "ruleset");
    home.remove();
  });

  const curl = (...args: readonly string[]): string => server.run("curl", "-sS", "-m", "10", ...args);
  const scrape = (): string =>
    curl("--unix-socket", home.file("control.sock"), "http://localhost/v1/metrics");

  it("agrees with status --json after a flood, and with promtool", async () => {
    const lines = flood();
    appendFileSync(home.file("auth.log"), lines);
    await until(
      "the kernel has every ban",
      () => samplesIn(scrape()).get('stoplog_ban_delay_seconds_count{enforcer="nftables"}') === ADDRESSES,
      () => daemon.log,
    );
    const status = daemon.status();
    const samples = samplesIn(scrape());

    expect(samples.get('stoplog_bans_total{jail="sshd"}')).toBe(ADDRESSES);
    expect(samples.get('stoplog_failures_total{jail="sshd"}')).toBe(3 * ADDRESSES);
    expect(samples.get("stoplog_active_bans")).toBe(ADDRESSES);
    expect(samples.get('stoplog_read_bytes_total{source="auth"}')).toBe(lines.length);
    expect(samples.get('stoplog_enforcer_ready{enforcer="nftables"}')).toBe(1);
    expect(samples.get('stoplog_ban_delay_seconds_bucket{enforcer="nftables",le="+Inf"}')).toBe(ADDRESSES);

    // Every value of the status is declared by a module that is loaded.
    const byStatus = samplesIn(metricsText(status, groups));
    expect([...byStatus.keys()].filter((sample) => !samples.has(sample))).toEqual([]);
    // Values that do not change on a quiet machine are the same in both.
    for (const [sample, value] of pairsOf(status))
      expect([sample, samples.get(sample)]).toEqual([sample, value]);
  });

  it.skipIf(promtoolFault !== null)(titled("passes promtool check metrics", promtoolFault), () => {
    expect(promtool(["check", "metrics"], scrape())).toBe("");
  });

  it("is also on the listener, without a token; a reload moves it, and a taken port is a warning", async () => {
    const listen = (port: number): void =>
      home.configure(CONFIG.replace("127.0.0.1:9842", `127.0.0.1:${port}`));
    expect(curl("http://127.0.0.1:9842/metrics")).toContain("# TYPE stoplog_bans_total counter\n");
    expect(curl("-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:9842/v1/status")).toBe("404");

    listen(9843);
    expect(daemon.command("reload").status).toBe(0);
    expect(curl("http://127.0.0.1:9843/metrics")).toContain("stoplog_metrics_requests_total 1\n");
    expect(() => curl("http://127.0.0.1:9842/metrics")).toThrow("Failed to connect");

    // The port of the API.
    listen(8443);
    expect(daemon.command("reload").status).toBe(0);
    const warning = "Cannot serve metrics on 127.0.0.1:8443: the address is in use";
    expect(daemon.status().warnings).toContain(warning);
    expect(daemon.command("ban", "192.0.2.1").status).toBe(0);
    expect(samplesIn(scrape()).get("stoplog_active_bans")).toBe(1);

    home.configure(
      CONFIG.replace("127.0.0.1:9842", "127.0.0.1:8443").replace(
        /listen: 127.0.0.1:8443/,
        "listen: 127.0.0.1:8444",
      ),
    );
    expect(daemon.command("reload").status).toBe(0);
    await until(
      "the port is free and taken",
      () => daemon.status().warnings.length === 0,
      () => daemon.log,
    );
    expect(curl("http://127.0.0.1:8443/metrics")).toContain("stoplog_active_bans 1\n");
  });

  it("asks for a token that reads, over TCP", () => {
    const ask = (...headers: readonly string[]): string =>
      curl(
        "-o",
        "/dev/null",
        "-w",
        "%{http_code} %{content_type}",
        ...headers,
        "http://127.0.0.1:8443/v1/metrics",
      );
    expect(ask("-H", "Authorization: Bearer the-reader-s-secret")).toBe(
      "200 text/plain; version=0.0.4; charset=utf-8",
    );
    expect(ask("-H", "Authorization: Bearer the-writer-s-secret")).toBe("403 application/json");
    expect(ask()).toBe("401 application/json");
  });
});

/** Three failures of each address. */
function flood(): string {
  const time = new Date().toISOString();
  const lines: string[] = [];
  for (let i = 0; i < 3 * ADDRESSES; i++) {
    const n = i % ADDRESSES;
    const address = `198.18.${n >> 8}.${n & 255}`;
    lines.push(`${time} box sshd[1]: Failed password for root from ${address} port 40000 ssh2\n`);
  }
  return lines.join("");
}

function samplesIn(text: string): ReadonlyMap<string, number> {
  return new Map(
    text
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => {
        const at = line.lastIndexOf(" ");
        return [line.slice(0, at), Number(line.slice(at + 1))];
      }),
  );
}

/** The metrics that follow from the status. */
function pairsOf(status: StatusReply): (readonly [string, number])[] {
  return [
    ["stoplog_active_bans_limit", status.book.capacity],
    ["stoplog_ban_changes_total", status.feed.last],
    ["stoplog_evidence_lines", status.evidence.lines],
    ["stoplog_evidence_lines_forgotten_total", status.evidence.forgotten],
    ["stoplog_warnings", status.warnings.length],
    ["process_start_time_seconds", Date.parse(status.since) / 1000],
    [`stoplog_build_info{version="${status.version}"}`, 1],
    ...status.sources.flatMap(({ name, bytes, lines, shed, shedBytes, cut, waitingBytes, overruns }) => [
      [`stoplog_read_bytes_total{source="${name}"}`, bytes] as const,
      [`stoplog_lines_total{source="${name}"}`, lines] as const,
      [`stoplog_shed_lines_total{source="${name}"}`, shed] as const,
      [`stoplog_shed_bytes_total{source="${name}"}`, shedBytes] as const,
      [`stoplog_cut_lines_total{source="${name}"}`, cut] as const,
      [`stoplog_waiting_bytes{source="${name}"}`, waitingBytes] as const,
      [`stoplog_overruns_total{source="${name}"}`, overruns] as const,
    ]),
    ...status.jails.flatMap(
      ({ name, failures, counted, bans, banned, addresses, alreadyBanned, stale, capped }) => [
        [`stoplog_failures_total{jail="${name}"}`, failures] as const,
        [`stoplog_failures_counted_total{jail="${name}"}`, counted] as const,
        [`stoplog_bans_total{jail="${name}"}`, bans] as const,
        [`stoplog_jail_active_bans{jail="${name}"}`, banned] as const,
        [`stoplog_jail_addresses{jail="${name}"}`, addresses] as const,
        [`stoplog_failures_ignored_total{jail="${name}",reason="already banned"}`, alreadyBanned] as const,
        [`stoplog_failures_ignored_total{jail="${name}",reason="stale"}`, stale] as const,
        [`stoplog_bans_capped_total{jail="${name}"}`, capped] as const,
      ],
    ),
    ...status.enforcers.flatMap(({ kind, applied, refused, resyncs }) => [
      [`stoplog_enforcer_changes_total{enforcer="${kind}"}`, applied] as const,
      [`stoplog_enforcer_refused_total{enforcer="${kind}"}`, refused] as const,
      [`stoplog_enforcer_resyncs_total{enforcer="${kind}"}`, resyncs] as const,
    ]),
  ];
}
