import { declareMetrics, derivedCounter, derivedGauge, gauge } from "../core/metrics.ts";

/** The process itself, by the names that Prometheus' client libraries give these. */
declareMetrics(
  { at: "" },
  {
    memoryBytes: gauge("process_resident_memory_bytes", "Resident memory of the daemon."),
    since: derivedGauge(
      "process_start_time_seconds",
      "When the daemon started, as seconds since 1970.",
      ({ since }) => Date.parse(String(since)) / 1000,
    ),
    version: derivedGauge(
      "stoplog_build_info",
      "The version, as a label; the value is always 1.",
      () => 1,
      ({ version }) => ({
        version: String(version),
      }),
    ),
    dryRun: derivedGauge("stoplog_dry_run", "1 when nothing is enforced.", ({ dryRun }) =>
      dryRun === true ? 1 : 0,
    ),
    troubles: derivedGauge(
      "stoplog_troubles",
      "Configured parts that do not work now, as `stoplog status` shows them.",
      ({ troubles }) => (Array.isArray(troubles) ? troubles.length : null),
    ),
    warnings: derivedGauge("stoplog_warnings", "Warnings that `stoplog status` shows now.", ({ warnings }) =>
      Array.isArray(warnings) ? warnings.length : null,
    ),
  },
);

declareMetrics(
  { at: null },
  {
    cpu: derivedCounter("process_cpu_seconds_total", "CPU time of the daemon, user and system.", () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    }),
  },
);
