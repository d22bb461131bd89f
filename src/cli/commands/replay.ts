import type { Command } from "commander";
import { statSync } from "node:fs";
import type { BanReply } from "../../api/wire.ts";
import type { BanChange } from "../../core/ban.ts";
import { StoplogError } from "../../core/errors.ts";
import { formatInstant, type Instant } from "../../core/time.ts";
import { counted } from "../../core/wording.ts";
import { readConfig } from "./check.ts";
import { logBytes } from "../log-bytes.ts";
import type { Cli } from "../cli.ts";
import { configPath } from "../config-path.ts";
import { DONE, NEGATIVE } from "../output/io.ts";
import { printable } from "../../core/printable.ts";
import { CONFIG_OPTION } from "./run.ts";
import { table } from "../output/terminal.ts";

interface ReplayOptions {
  readonly config?: string;
  readonly json?: true;
}

/** What `replay --json` prints. */
interface ReplayReport {
  readonly config: string | null;
  readonly lines: number;
  /** Times of the first and the last line that a pattern matched; null when none had one. */
  readonly from: string | null;
  readonly to: string | null;
  /** Lines that matched but had no time that could be read. */
  readonly undated: number;
  /** Those of logs in which no line has a time. */
  readonly undatedAtOnce: number;
  /** In their order; `since` is the log's own time. */
  readonly bans: readonly BanReply[];
  readonly jails: readonly { readonly name: string; readonly failures: number; readonly bans: number }[];
}

export function defineReplay(program: Command, cli: Cli): void {
  program
    .command("replay")
    .description("what would have been banned and when, by the log's own time; touches nothing")
    .argument("<log...>", "logs in the order of their times; - for standard input")
    .option("-c, --config <file>", CONFIG_OPTION)
    .option("--json", "one JSON document")
    .action(
      cli.act(async (logs: string[], options: ReplayOptions) => {
        const report = await replay(configPath(options), logs, cli);
        if (options.json) await cli.json(report);
        else await cli.out.lines(reportLines(report, cli));
        return report.bans.length > 0 ? DONE : NEGATIVE;
      }),
    );
}

async function replay(path: string | null, logs: readonly string[], cli: Cli): Promise<ReplayReport> {
  const { config, errors } = await readConfig(path);
  if (config === null) throw new StoplogError(errors.join("\n"));
  const { Replay } = await import("../../daemon/replay.ts");
  const { banReply } = await import("../../api/ban-reply.ts");
  const bans: BanReply[] = [];
  const replayed = new Replay(config, Date.now(), (change: BanChange) => {
    if (change.kind === "ban") bans.push(banReply(change.ban));
  });
  for (const log of logs) await replayed.read(logBytes(log, cli), lastWrite(log));
  const { span } = replayed;
  return {
    config: config.path,
    lines: replayed.lines,
    from: span === null ? null : formatInstant(span.from),
    to: span === null ? null : formatInstant(span.to),
    undated: replayed.undated,
    undatedAtOnce: replayed.undatedAtOnce,
    bans,
    jails: replayed.jails.map(({ jail }) => ({
      name: jail.options.name,
      failures: jail.stats.failures,
      bans: jail.stats.bans,
    })),
  };
}

/** When the log was last written; now, when that is not known. */
function lastWrite(log: string): Instant {
  if (log === "-") return Date.now();
  try {
    return Math.floor(statSync(log, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
  } catch {
    return Date.now(); // reading it reports the error
  }
}

function* reportLines(
  { lines, from, to, undated, undatedAtOnce, bans, jails }: ReplayReport,
  { style }: Cli,
): Generator<string> {
  if (bans.length > 0) {
    yield* table(
      COLUMNS,
      bans.map(({ since, address, jail, target, until, reason }) =>
        [since, address, jail, target, until ?? "permanent", reason].map(printable),
      ),
      style,
    );
    yield "";
  }
  for (const { name, failures, bans: banned } of jails)
    if (failures > 0) yield `${printable(name)}: ${counted(failures, "failure")}, ${counted(banned, "ban")}`;
  const span = from === null ? "" : ` from ${from} to ${to ?? ""}`;
  yield `${counted(bans.length, "ban")} in ${counted(lines, "line")}${span}`;
  const between = undated - undatedAtOnce;
  if (between > 0)
    yield `${counted(between, "matching line")} had no time: counted at the time of the line before`;
  if (undatedAtOnce > 0)
    yield `${counted(undatedAtOnce, "matching line")} in a log without times: counted as if written at once, when the log was last written; the daemon counts within findtime, and may ban fewer`;
}

const COLUMNS = [
  { heading: "SINCE" },
  { heading: "ADDRESS" },
  { heading: "JAIL" },
  { heading: "TARGET" },
  { heading: "UNTIL" },
  { heading: "REASON" },
] as const;
