import type { Command } from "commander";
import type { ConfigPlace } from "../../config/config-place.ts";
import type { Config } from "../../config/config.ts";
import type { ConfigReading } from "../../config/read-config.ts";
import type { Cli } from "../cli.ts";
import { configPlace } from "../config-path.ts";
import { COULD_NOT, DONE } from "../output/io.ts";
import { factOf } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";
import { loadConfigFrom } from "../load-config.ts";
import { CONFIG_OPTION, FAIL2BAN_OPTION } from "./run.ts";

interface CheckOptions {
  readonly config?: string;
  readonly fail2ban?: string;
  readonly json?: true;
}

/** What `check --json` prints. */
interface CheckReport {
  readonly config: string | null;
  readonly good: boolean;
  /** Each with file, line and column. */
  readonly errors: readonly string[];
  /** Hints about a valid configuration. */
  readonly warnings: readonly string[];
  readonly summary: readonly string[];
}

export function defineCheck(program: Command, cli: Cli): void {
  program
    .command("check")
    .description("check the configuration; all errors with line and column, exit status 2")
    .option("-c, --config <file>", CONFIG_OPTION)
    .option("--fail2ban <folder>", FAIL2BAN_OPTION)
    .option("--json", "one JSON document")
    .action(
      cli.act(async (options: CheckOptions) => {
        const report = await check(configPlace(options));
        if (options.json) await cli.json(report);
        else await print(report, cli);
        return report.good ? DONE : COULD_NOT;
      }),
    );
}

async function check(place: ConfigPlace): Promise<CheckReport> {
  const path = place.fail2ban ?? place.file;
  const { config, errors } = await loadConfigFrom(place);
  if (config === null) return { config: path, good: false, errors, warnings: [], summary: [] };
  const { describeConfig } = await import("../../config/describe.ts");
  const differences = config.imported?.differences ?? [];
  const warnings = [
    ...config.notes,
    ...differences,
    ...(await unreadable(config)),
    ...(await underTheUnit(config)),
    ...(await costlyPatterns(config)),
  ];
  const summary = [...describeConfig(config), ...(await offloadable(config))];
  return { config: path, good: errors.length === 0, errors, warnings, summary };
}

/** Files that the daemon will need, and tries again while they are missing. */
async function unreadable({ api }: Config): Promise<readonly string[]> {
  if (api === null || api.tls === null) return [];
  const { readPem } = await import("../../api/remote/pem.ts");
  try {
    readPem(api.tls);
    return [];
  } catch (error) {
    return [factOf(error)];
  }
}

/** What the installed unit of systemd does not permit the service. */
async function underTheUnit(config: Config): Promise<readonly string[]> {
  const { hostAt } = await import("../../doctor/host-at.ts");
  const { serviceUnit } = await import("../../doctor/situation.ts");
  const { readUnit } = await import("../../doctor/unit-settings.ts");
  const { unmetNeeds } = await import("../../doctor/unit-needs.ts");
  const host = hostAt("", "", NO_FACTS);
  const path = serviceUnit(host);
  const unit = readUnit(host, path);
  if (unit === null) return [];
  return unmetNeeds(config, unit).map(
    ({ of, lines }) =>
      `${of} cannot work as a service: ${path} lacks ${lines.filter((line) => !unit.grants(line)).join(", ")} (stoplog doctor prints the drop-in)`,
  );
}

/** The unit is read from files; these facts play no part. */
const NO_FACTS = {
  now: 0,
  uid: 0,
  nodeVersion: "",
  nativeFault: null,
  clockSynchronised: null,
  packageRoot: "",
  iptables: null,
  nftTables: null,
};

/** Which packet jails the kernel could count for, and why not the others. */
async function offloadable(config: Config): Promise<readonly string[]> {
  const { hindrancesOf } = await import("../../config/offload.ts");
  return config.jails
    .filter(({ packets, offload }) => packets !== undefined && offload === undefined)
    .map((jail) => {
      const hindrances = hindrancesOf(jail, config);
      return hindrances.length === 0
        ? `jail ${jail.name} could be counted by the kernel: write offload: kernel instead of sources`
        : `jail ${jail.name} cannot be counted by the kernel: ${hindrances.join(", ")}`;
    });
}

/** The configuration at a path, or the built-in one for null. */
export function readConfig(path: string | null): Promise<ConfigReading> {
  return loadConfigFrom({ file: path, fail2ban: null });
}

/** Patterns that cost more than others, and why. */
async function costlyPatterns(config: Config): Promise<readonly string[]> {
  const { compileFilter } = await import("../../match/filter/filter.ts");
  const { patternCosts } = await import("../../match/run/pattern-costs.ts");
  return config.jails.flatMap(({ name, filter: definition, sources }) => {
    const filter = definition === null ? null : compileFilter(definition).filter;
    return (filter === null ? [] : patternCosts(filter)).flatMap(({ list, index, cost, isEveryLine }) => {
      const pattern = `jail ${name}: ${list} ${index + 1}`;
      return [
        ...(cost === "linear" ? [] : [`${pattern} ${VERDICTS[cost]}`]),
        ...(isEveryLine ? [`${pattern} ${NO_TEXT} ${sources.join(", ")}, ${PRICE}`] : []),
      ];
    });
  });
}

const VERDICTS = {
  automaton:
    "has lookaround or counts above 16: a line of 100 bytes takes 0.2 to 2 µs, up to ten times as long as with other patterns",
  steps:
    "looks back over several bytes or counts too far: a line that may match takes 5 to 50 µs for 100 bytes, and in a long line it may be stopped and counts as no match",
} as const;
const NO_TEXT = "has no literal text of five bytes or more in every match: it is tried on every line of";
const PRICE = "which adds 0.1 to 0.9 µs to the 0.06 µs of a line without a match";

async function print({ config, good, errors, warnings, summary }: CheckReport, cli: Cli): Promise<void> {
  const { style, out } = cli;
  for (const error of errors) cli.io.stderr.write(`${printable(error)}\n`);
  await out.lines(summary.map(printable));
  await out.lines(warnings.map((warning) => style.yellow(`! ${printable(warning)}`)));
  const name = config === null ? "The built-in configuration" : printable(config);
  if (good) await out.lines([style.green(`${name} is valid`)]);
}
