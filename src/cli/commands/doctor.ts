import { existsSync } from "node:fs";
import type { Command } from "commander";
import type { StatusReply } from "../../api/wire.ts";
import type { ConfigPlace } from "../../config/config-place.ts";
import type { Config } from "../../config/config.ts";
import type { OpenFile } from "../../config/open-files.ts";
import { factOf, StoplogError } from "../../core/errors.ts";
import { counted } from "../../core/wording.ts";
import type { Found } from "../../doctor/examine.ts";
import type { Host } from "../../doctor/host.ts";
import type { Cli } from "../cli.ts";
import { configPlace } from "../config-path.ts";
import { loadConfigFrom } from "../load-config.ts";
import { COULD_NOT, DONE, type ExitStatus, NEGATIVE } from "../output/io.ts";
import { printable } from "../../core/printable.ts";
import { CONFIG_OPTION } from "./run.ts";
import type { Style } from "../output/terminal.ts";

interface DoctorOptions {
  readonly socket?: string;
  readonly config?: string;
  readonly all?: true;
  readonly prove?: true;
  readonly json?: true;
}

/** What `doctor --json` prints. */
export interface DoctorReport {
  /** The file that was checked; null for the built-in configuration. */
  readonly config: string | null;
  readonly daemon: { readonly pid: number; readonly version: string } | null;
  /** Whether there is neither trouble nor advice. */
  readonly healthy: boolean;
  readonly findings: readonly Found[];
  readonly looked: readonly string[];
  /** What could not be checked, and why. */
  readonly unseen: readonly string[];
}

export function defineDoctor(program: Command, cli: Cli): void {
  program
    .command("doctor")
    .description("find problems on this machine, with cures; changes nothing")
    .option("-c, --config <file>", DOCTOR_CONFIG)
    .option("--all", "show what is fine, too")
    .option(
      "--prove",
      "instead: ban an address at each target and show by real packets whether it is stopped (root)",
    )
    .option(
      "--json",
      "one JSON document: {config, daemon, healthy, findings, looked, unseen}; {proofs} with --prove",
    )
    .action(
      cli.act(async (_: DoctorOptions, command: Command) => {
        const options = command.optsWithGlobals<DoctorOptions>();
        if (options.prove) return proveTargets(cli, options);
        const { report, couldNot } = await diagnose(cli, options);
        for (const sentence of couldNot) cli.io.stderr.write(`${printable(sentence)}\n`);
        if (options.json) await cli.json(report);
        else await cli.out.lines(reportLines(report, { style: cli.style, all: options.all ?? false }));
        if (couldNot.length > 0) return COULD_NOT;
        return report.healthy ? DONE : NEGATIVE;
      }),
    );
}

const DOCTOR_CONFIG = CONFIG_OPTION.replace("(default: ", "(default: the running daemon's; else ");

async function proveTargets(cli: Cli, options: DoctorOptions): Promise<ExitStatus> {
  const { proveAll } = await import("../prove.ts");
  const socket = cli.socketPath(options);
  const { daemon, unseen } = await askDaemon(socket);
  if (daemon === null) throw new StoplogError(`Cannot prove the targets: ${unseen.join("; ")}`);
  const { config, errors } = await readConfig(placeOf(daemon), null);
  if (config === null) throw new StoplogError(errors[0] ?? "Cannot prove the targets: no configuration");
  return proveAll(cli, { socket, daemon, targets: config.targets, json: options.json ?? false });
}

interface Diagnosis {
  readonly report: DoctorReport;
  /** Why the configuration cannot be read: then nothing about it was checked. */
  readonly couldNot: readonly string[];
}

async function diagnose(cli: Cli, options: DoctorOptions): Promise<Diagnosis> {
  const [{ thisHost }, { takeIn }, { examine }] = await Promise.all([
    import("../../doctor/this-host.ts"),
    import("../../doctor/situation.ts"),
    import("../../doctor/examine.ts"),
  ]);
  const now = Date.now();
  const host = thisHost(now, cli.io.env["PATH"] ?? "");
  const socket = cli.socketPath(options);
  const { daemon, unseen } = await askDaemon(socket);
  const place =
    daemon === null || options.config !== undefined ? configPlace({ ...options }) : placeOf(daemon);
  const path = place.fail2ban ?? place.file;
  const read = await readConfig(place, host);
  const { findings, looked } = examine(
    takeIn(host, {
      config: read.config,
      configErrors: read.errors,
      openFiles: read.openFiles,
      configPath: path,
      daemon,
      socket,
    }),
  );
  const report = {
    config: path,
    daemon: daemon === null ? null : { pid: daemon.pid, version: daemon.version },
    healthy: findings.every(({ severity }) => severity === "fine"),
    findings,
    looked,
    unseen: [...unseen, ...read.unseen],
  };
  return { report, couldNot: read.unseen };
}

/** The daemon is optional: a machine can be checked without it. */
async function askDaemon(socket: string) {
  if (!existsSync(socket)) return { daemon: null, unseen: [`the daemon: ${socket} does not exist`] };
  try {
    const { ask } = await import("../control.ts");
    const daemon = await ask<StatusReply>(socket, { method: "GET", path: "/v1/status" });
    return { daemon, unseen: [] };
  } catch (error) {
    if (!(error instanceof StoplogError)) throw error;
    return { daemon: null, unseen: [`the daemon: ${factOf(error)}`] };
  }
}

interface Read {
  readonly config: Config | null;
  readonly errors: readonly string[];
  readonly openFiles: readonly OpenFile[];
  readonly unseen: readonly string[];
}

/** Where a daemon reads its configuration. */
function placeOf({ config, imported }: StatusReply): ConfigPlace {
  return { file: config, fail2ban: imported?.folder ?? null };
}

async function readConfig(place: ConfigPlace, host: Host | null): Promise<Read> {
  const path = place.fail2ban ?? place.file;
  // Trusting: a configuration that others can write is examined like any other.
  const { config, errors, openFiles = [] } = await loadConfigFrom(place, { trusting: true });
  return path === null || host?.canRead(path) !== false
    ? { config, errors, openFiles, unseen: [] }
    : { config: null, errors: [], openFiles, unseen: errors };
}

export interface ReportView {
  readonly style: Style;
  /** Whether fine results are shown. */
  readonly all: boolean;
}

export function* reportLines(report: DoctorReport, { style, all }: ReportView): Generator<string> {
  const { findings, unseen } = report;
  for (const finding of findings.filter(({ severity }) => severity !== "fine")) {
    yield* findingLines(finding, style);
    yield "";
  }
  if (all) {
    const good = findings.filter(({ severity }) => severity === "fine");
    for (const { what } of good) yield `${style.green("fine:")} ${printable(what)}`;
    if (good.length > 0) yield "";
  }
  yield verdict(report, style);
  for (const sentence of unseen) yield style.dim(`Not checked: ${printable(sentence)}`);
}

function* findingLines({ severity, what, why, cure }: Found, style: Style): Generator<string> {
  const paint = severity === "trouble" ? style.red : style.yellow;
  yield `${paint(`${severity}:`)} ${style.bold(printable(what))}`;
  if (why !== null) yield `  ${printable(why)}`;
  for (const line of cure) yield `    ${line.startsWith("#") ? style.dim(printable(line)) : printable(line)}`;
}

function verdict({ healthy, findings, looked }: DoctorReport, style: Style): string {
  if (healthy) return `${style.green(HEALTHY)} Checked: ${looked.map(printable).join(", ")}.`;
  const count = (wanted: string): number => findings.filter(({ severity }) => severity === wanted).length;
  return `${counted(count("trouble"), "trouble")}, ${counted(count("advice"), "piece of advice", "pieces of advice")}`;
}

const HEALTHY = "No problems found.";
