import { type Command, InvalidArgumentError } from "commander";
import { StoplogError } from "../../core/errors.ts";
import type { Config, JailConfig } from "../../config/config.ts";
import type { LineEnds } from "../../config/line-ends.ts";
import { formatInstant } from "../../core/time.ts";
import type { CompiledFilter, FilterDefinition, PatternProblem } from "../../match/filter/filter.ts";
import type { TimeZone } from "../../match/time/time-zone.ts";
import type { Cli } from "../cli.ts";
import type { FilterTrial, TrialCounts } from "../filter-trial.ts";
import { logBytes } from "../log-bytes.ts";
import { DONE, NEGATIVE } from "../output/io.ts";
import { decodeLine, printable } from "../../core/printable.ts";
import { type Style, table } from "../output/terminal.ts";
import { counted, countWords } from "../../core/wording.ts";

interface TestOptions {
  readonly json?: true;
  readonly config?: string;
  readonly missed: number;
  readonly matched: number;
}

export function defineTest(program: Command, cli: Cli): void {
  program
    .command("test")
    .description("try a filter on logs: lines matched and missed, by pattern")
    .argument(
      "<filter>",
      "a name from the library, a file, or a regular expression with <HOST>; with -c, a jail",
    )
    .argument("<file...>", "logs; - for standard input")
    .option("-c, --config <file>", "try the filter of a jail in this configuration")
    .option("--missed <number>", "how many missed lines to show", wholeNumber, 5)
    .option("--matched <number>", "how many matched lines to show", wholeNumber, 0)
    .option("--json", "one JSON document")
    .action(
      cli.act(async (filter: string, files: string[], options: TestOptions) => {
        const report = await test(filter, files, options, cli);
        if (options.json) await cli.json(report);
        else await cli.out.lines(reportLines(report, cli.style));
        return report.failureLines + report.goodLines > 0 ? DONE : NEGATIVE;
      }),
    );
}

/** What `test --json` prints. */
export interface TestReport extends TrialCounts {
  readonly filter: string;
  readonly warnings: readonly string[];
  readonly cutLines: number;
  /** Bytes of a line that are read. */
  readonly maxLine: number;
  readonly patterns: readonly {
    readonly list: "failregex" | "goodregex";
    /** Counted from 1. */
    readonly number: number;
    readonly pattern: string;
    readonly lines: number;
  }[];
  readonly missed: readonly string[];
  readonly matched: readonly {
    readonly list: "failregex" | "goodregex";
    readonly number: number;
    readonly host: string;
    readonly at: string | null;
    readonly count: number;
    readonly captures: Readonly<Record<string, string>>;
    readonly line: string;
  }[];
  readonly seconds: number;
  readonly linesPerSecond: number;
}

async function test(
  wanted: string,
  files: readonly string[],
  options: TestOptions,
  cli: Cli,
): Promise<TestReport> {
  const { FilterTrial } = await import("../filter-trial.ts");
  const { definition, zone, ends } = await subjectOf(wanted, options.config);
  const { filter, warnings } = await compile(definition);
  const { maxLine, cuts } = ends;
  const trial = new FilterTrial(filter, options, { now: Date.now(), zone, cuts }, ends);
  const started = performance.now();
  for (const file of files) await trial.read(logBytes(file, cli));
  return report(definition, { warnings, trial, maxLine }, (performance.now() - started) / 1000);
}

/** A filter, and how the lines it is for are read. */
interface Subject {
  readonly definition: FilterDefinition;
  readonly zone: TimeZone;
  readonly ends: LineEnds;
}

/** A jail's lines are read as those of its sources, of which the first one's time zone counts. */
async function subjectOf(wanted: string, path: string | undefined): Promise<Subject> {
  const { localZone, parseTimeZone } = await import("../../match/time/time-zone.ts");
  const { lineEndsOf } = await import("../../config/line-ends.ts");
  if (path === undefined) {
    const ends = lineEndsOf({ sources: new Map() });
    return { definition: await findDefinition(wanted), zone: localZone(), ends };
  }
  const { config, jail, filter } = await jailOf(wanted, path);
  const timezone = config.sources.get(jail.sources[0] ?? "")?.timezone ?? "local";
  return {
    definition: filter,
    zone: parseTimeZone(timezone) ?? localZone(),
    ends: lineEndsOf(config, jail.sources),
  };
}

async function findDefinition(wanted: string): Promise<FilterDefinition> {
  if (wanted.trim() === "")
    throw new StoplogError(
      "Cannot test: the filter is empty; give a name from the library, a file or a regular expression with <HOST>",
    );
  if (await isPattern(wanted)) return { name: IN_PLACE, failregex: [wanted], ignoreregex: [], goodregex: [] };
  const { loadFilterFile } = await import("../../config/find-filter.ts");
  const { definition, errors } = loadFilterFile(wanted);
  if (definition === null || errors.length > 0) throw new StoplogError(errors.join("\n"));
  return definition;
}

/** Whether it is a regular expression: it has a tag for the host, or is neither a name nor a path. */
async function isPattern(wanted: string): Promise<boolean> {
  const { NAMES_HOST } = await import("../../match/filter/tags/table.ts");
  if (NAMES_HOST.test(wanted)) return true;
  const isPath = /^[\w./~@+ -]+$/.test(wanted) && /\/|\.ya?ml$/.test(wanted);
  return !isPath && !/^[\w.@+-]+$/.test(wanted);
}

async function jailOf(
  name: string,
  path: string,
): Promise<{ readonly config: Config; readonly jail: JailConfig; readonly filter: FilterDefinition }> {
  const { loadConfig } = await import("../../config/load.ts");
  const { config, errors } = loadConfig(path);
  if (config === null) throw new StoplogError(errors.join("\n"));
  const jail = config.jails.find((each) => each.name === name);
  const { missing } = await import("../../schema/missing.ts");
  if (jail === undefined)
    throw new StoplogError(
      `Cannot test: ${missing(
        "jail",
        name,
        config.jails.map((each) => each.name),
      )}`,
    );
  if (jail.filter === null)
    throw new StoplogError(`Cannot test: jail ${name} counts packets and has no filter`);
  return { config, jail, filter: jail.filter };
}

async function compile(
  definition: FilterDefinition,
): Promise<{ filter: CompiledFilter; warnings: readonly string[] }> {
  const { compileFilter } = await import("../../match/filter/filter.ts");
  const { filter, problems } = compileFilter(definition);
  const say = ({ list, index, fact }: PatternProblem): string => `${list} ${index + 1}: ${fact}`;
  if (filter !== null) return { filter, warnings: problems.map(say) };
  const errors = problems.filter(({ severity }) => severity === "error").map(say);
  const what = definition.name === IN_PLACE ? "the pattern" : `the filter ${definition.name}`;
  throw new StoplogError(`Cannot use ${what}: ${errors.join("; ")}`);
}

/** The name of a pattern that is given as it is. */
const IN_PLACE = "in place";

function report(
  definition: FilterDefinition,
  {
    warnings,
    trial,
    maxLine,
  }: { readonly warnings: readonly string[]; readonly trial: FilterTrial; readonly maxLine: number },
  seconds: number,
): TestReport {
  const lists = ["failregex", "goodregex"] as const;
  return {
    filter: definition.name,
    warnings,
    ...trial.counts,
    cutLines: trial.cut,
    maxLine,
    patterns: lists.flatMap((list) =>
      definition[list].map((pattern, i) => ({
        list,
        number: i + 1,
        pattern,
        lines: trial.byPattern.get(`${list} ${i}`) ?? 0,
      })),
    ),
    missed: trial.missed.map(decodeLine),
    matched: trial.matched.map(({ kind, pattern, host, at, count, captures, line }) => ({
      list: kind === "good" ? "goodregex" : "failregex",
      number: pattern + 1,
      host: decodeLine(host),
      at: at === null ? null : formatInstant(at),
      count,
      captures: Object.fromEntries(Object.entries(captures).map(([name, text]) => [name, decodeLine(text)])),
      line: decodeLine(line),
    })),
    seconds: Math.round(seconds * 1000) / 1000,
    linesPerSecond: seconds === 0 ? 0 : Math.round(trial.counts.lines / seconds),
  };
}

function* reportLines(report: TestReport, style: Style): Generator<string> {
  for (const warning of report.warnings) yield style.yellow(`! ${printable(warning)}`);
  yield* table(
    COLUMNS,
    report.patterns.map(({ list, number, pattern, lines }) => [
      lines === 0 ? style.dim("0") : countWords(lines),
      `${list} ${number}`,
      printable(pattern),
    ]),
    style,
  );
  yield "";
  yield* summaryLines(report, style);
  if (report.matched.length > 0) yield "";
  for (const { list, number, host, at, count, line } of report.matched) {
    const time = at ?? "no time";
    yield style.green(
      `${list} ${number}: ${printable(host)}, ${time}${count === 1 ? "" : `, ${count} times`}`,
    );
    yield `  ${printable(line)}`;
  }
  if (report.missed.length === 0) return;
  yield "";
  yield style.yellow(`Missed, ${report.missed.length} of ${counted(report.missedLines, "line")}:`);
  for (const line of report.missed) yield `  ${printable(line)}`;
}

function* summaryLines(report: TestReport, style: Style): Generator<string> {
  const { lines, failureLines, failures, goodLines, ignoredLines, missedLines } = report;
  const repeated =
    failures === failureLines ? "" : ` (${counted(failures, "failure")}, some lines were repeated)`;
  yield style.bold(
    `${counted(lines, "line")}: ${countWords(failureLines)} failed${repeated}, ${countWords(goodLines)} good, ${countWords(ignoredLines)} ignored, ${countWords(missedLines)} missed`,
  );
  if (report.notedLines > 0)
    yield `${counted(report.notedLines, "line")} told of a session and did not count`;
  if (report.undated > 0) {
    yield `${counted(report.undated, "matched line")} without a readable time: counted as now`;
  }
  if (report.names > 0) {
    yield `${counted(report.names, "matched line")} with a name instead of an address: counted only with usedns`;
  }
  if (report.cutLines > 0) yield `${counted(report.cutLines, "line")} cut at ${report.maxLine} bytes`;
  yield style.dim(`${countWords(report.linesPerSecond)} lines/s`);
}

const COLUMNS = [{ heading: "LINES", right: true }, { heading: "PATTERN" }, { heading: "" }] as const;

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number");
  return Number(text);
}
