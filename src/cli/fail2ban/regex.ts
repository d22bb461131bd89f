import { existsSync, statSync } from "node:fs";
import { StoplogError } from "../../core/errors.ts";
import { printable } from "../../core/printable.ts";
import { disk } from "../../import/fail2ban/disk.ts";
import { readFilter } from "../../import/fail2ban/read-filter.ts";
import {
  originalOf,
  type OriginalPatterns,
  testOf,
  whyUntried,
} from "../../import/fail2ban/trial/original.ts";
import { localZone, parseTimeZone } from "../../match/time/time-zone.ts";
import type { Cli } from "../cli.ts";
import { logBytes } from "../log-bytes.ts";
import { DONE, type ExitStatus, FAIL2BANS } from "../output/io.ts";
import { repr } from "./python-text.ts";
import { type RegexOptions, readRegexOptions } from "./regex-options.ts";
import { reportLines } from "./regex-report.ts";
import { type LineKind, RegexTrial, type TrialPatterns } from "./regex-trial.ts";

/** `stoplog fail2ban-regex LOG REGEX [IGNOREREGEX]`: what a pattern or a filter of fail2ban finds in a log, printed as fail2ban prints it. */
export async function fail2banRegex(argv: readonly string[], cli: Cli, now: number): Promise<ExitStatus> {
  const options = readRegexOptions(argv);
  const say = (...lines: readonly string[]): Promise<void> => cli.out.lines(lines.map(printable));
  if (typeof options === "string" || options.flags.has("help")) {
    await cli.out.write(USAGE);
    if (typeof options !== "string") return DONE;
    cli.io.stderr.write(`ERROR: ${printable(options)}\n`);
    return FAIL2BANS;
  }
  const { words, values } = options;
  const [log, regex, ignore] = words;
  const wrong = wrongUse(options);
  if (wrong !== null || log === undefined || regex === undefined) {
    await cli.out.write(USAGE);
    cli.io.stderr.write(`\nERROR: ${wrong ?? "provide both <LOG> and <REGEX>."}\n`);
    return FAIL2BANS;
  }
  const isPlain = values.get("out") !== undefined;
  if (!isPlain) await say("", "Running tests", "=============", "");
  try {
    const { patterns, heads } = patternsOf(regex, ignore, options);
    const subject = compiled(patterns);
    const isFile = existsSync(log) && statSync(log).isFile();
    const place = isFile
      ? [`Use         log file : ${log}`, `Use         encoding : ${values.get("encoding") ?? "UTF-8"}`]
      : [`Use      single line : ${shortened(log)}`];
    if (!isPlain) await say(...heads, ...place, "");
    if (subject.untried.size > 0) cli.io.stderr.write(`${untriedText(subject.untried, patterns)}\n`);
    await say(...(await run({ log: isFile ? logBytes(log, cli) : log, patterns, subject, options, now })));
    return DONE;
  } catch (error) {
    if (!(error instanceof StoplogError)) throw error;
    await say(`ERROR: ${error.message}`);
    return FAIL2BANS;
  }
}

function untriedText(untried: ReadonlyMap<number, string>, { failregex }: OriginalPatterns): string {
  return `Cannot try ${untried.size} of ${failregex.length} failregex (-v shows them and why)`;
}

interface Run {
  /** A log, or lines. */
  readonly log: AsyncIterable<Buffer> | string;
  readonly patterns: OriginalPatterns;
  readonly subject: ReturnType<typeof compiled>;
  readonly options: RegexOptions;
  readonly now: number;
}

/** The lines to print. */
async function run({ log, patterns, subject, options, now }: Run): Promise<readonly string[]> {
  const { values, flags } = options;
  const output = values.get("out");
  const print = printedKinds(flags, Number(values.get("maxlines") ?? MOST_PRINTED));
  const zone = parseTimeZone(values.get("timezone") ?? "local") ?? localZone();
  const trial = new RegexTrial(subject.trial, { now, zone }, kept(print, output));
  const started = performance.now();
  if (typeof log !== "string") await trial.read(log);
  else for (const line of log.split("\n")) trial.try(Buffer.from(line).toString("latin1"));
  if (output !== undefined) return outputLines(trial, output);
  const seconds = (performance.now() - started) / 1000;
  const { untried } = subject;
  return [...reportLines({ ...patterns, trial, untried, isVerbose: flags.has("verbose"), print, seconds })];
}

const MOST_PRINTED = 20;
/** Lines that `--print-all-…` keeps until the counts are printed. */
const MOST_KEPT = 100_000;

function wrongUse({ words, flags, values }: RegexOptions): string | null {
  for (const kind of ["missed", "ignored"])
    if (flags.has(`print-no-${kind}`) && flags.has(`print-all-${kind}`))
      return `--print-no-${kind} and --print-all-${kind} are mutually exclusive.`;
  if (words.length < 2 || words.length > 3) return "provide both <LOG> and <REGEX>.";
  if (words[0]?.startsWith("systemd-journal") === true)
    return "the journal cannot be read here: journalctl -o short-iso > FILE, and give the file.";
  const output = values.get("out");
  return output === undefined || OUTPUTS.includes(output)
    ? null
    : `--out takes ${OUTPUTS.join(", ")}, not ${output}.`;
}

const OUTPUTS: readonly string[] = ["ip", "id", "host", "fid", "msg"];

/** The patterns, and the lines that say what they are. */
function patternsOf(
  regex: string,
  ignore: string | undefined,
  { values, flags }: RegexOptions,
): { readonly patterns: OriginalPatterns; readonly heads: readonly string[] } {
  const folder = values.get("config") ?? "/etc/fail2ban";
  const usesNames = !["no", "raw"].includes(values.get("usedns") ?? "") && !flags.has("raw");
  const found = readFilter(regex, folder, disk);
  const head =
    found === null
      ? `Use   failregex line : ${shortened(regex)}`
      : `Use   failregex filter file : ${found.name}, basedir: ${found.folder}`;
  const plain = { failregex: [regex], ignoreregex: [], prefregex: null, datepattern: null, isJournal: false };
  const base = found?.patterns ?? plain;
  const filterOptions = found === null || found.options.size === 0 ? [] : [optionsText(found.options)];
  const datepattern = values.get("datepattern") ?? base.datepattern;
  const date = datepattern === null ? [] : [`Use      datepattern : ${datepattern.replaceAll("\n", " ")}`];
  const other = ignore === undefined ? null : readFilter(ignore, folder, disk);
  const ignores = ignore === undefined ? [] : (other?.patterns.ignoreregex ?? [ignore]);
  const ignoreHead = ignore === undefined ? [] : [`Use ignoreregex line : ${shortened(ignore)}`];
  return {
    patterns: { ...base, datepattern, usesNames, ignoreregex: [...base.ignoreregex, ...ignores] },
    heads: [head, ...filterOptions, ...date, ...ignoreHead],
  };
}

function optionsText(options: ReadonlyMap<string, string>): string {
  return `Use   filter options : ${repr(Object.fromEntries(options))}`;
}

/** Throws a StoplogError when nothing of it can be tried; a filter's single patterns that cannot are left out. */
function compiled(patterns: OriginalPatterns): {
  readonly trial: TrialPatterns;
  readonly untried: ReadonlyMap<number, string>;
} {
  const { failregex, ignoreregex, prefregex, usesNames } = patterns;
  const why = whyUntried(patterns);
  const usable = failregex.flatMap((text, i) => (why[i] === null ? [{ text, number: i + 1 }] : []));
  if (usable.length === 0)
    throw new StoplogError(
      `Unable to compile regular expression '${failregex[0] ?? ""}': ${why[0] ?? "it is empty"}`,
    );
  const original = originalOf({ ...patterns, failregex: usable.map(({ text }) => text), ignoreregex: [] });
  if (original === null) throw new StoplogError("Unable to use the filter: its prefregex or its datepattern");
  const ignores = ignoreregex.map((text) => {
    const test = testOf(text, usesNames);
    if (test === null) throw new StoplogError(`Unable to compile regular expression '${text}'`);
    return test;
  });
  const prefix = prefregex === null ? null : testOf(prefregex, usesNames);
  const untried = why.flatMap((fact, i): [number, string][] => (fact === null ? [] : [[i + 1, fact]]));
  return {
    trial: { original, numbers: usable.map(({ number }) => number), ignores, prefix },
    untried: new Map(untried),
  };
}

function printedKinds(
  flags: ReadonlySet<string>,
  most: number,
): readonly (readonly [LineKind, number | null])[] {
  const kinds: readonly LineKind[] = ["matched", "ignored", "missed"];
  return kinds.flatMap((kind): [LineKind, number | null][] => {
    if (flags.has(`print-all-${kind}`)) return [[kind, null]];
    return kind === "matched" || flags.has(`print-no-${kind}`) ? [] : [[kind, most]];
  });
}

function kept(
  print: readonly (readonly [LineKind, number | null])[],
  output: string | undefined,
): Readonly<Record<LineKind, number>> {
  const most = new Map(print);
  const of = (kind: LineKind): number => (most.has(kind) ? (most.get(kind) ?? MOST_KEPT) : 0);
  return {
    matched: output === "msg" ? MOST_KEPT : of("matched"),
    ignored: of("ignored"),
    missed: of("missed"),
  };
}

function outputLines(trial: RegexTrial, output: string): readonly string[] {
  if (output === "msg") return trial.lines.matched;
  return [...trial.hosts.values()].flatMap((hosts) => hosts.map(({ host }) => host));
}

/** As fail2ban shortens what it repeats. */
function shortened(text: string): string {
  return text.length > 53 ? `${text.slice(0, 50)}...` : text;
}

const USAGE = `Usage: fail2ban-regex [OPTIONS] <LOG> <REGEX> [IGNOREREGEX]

Tries a regular expression or a filter of fail2ban on a log, as Stoplog matches it.

LOG:          a line, or the path of a log
REGEX:        a failregex, a filter file, or a name in filter.d, such as sshd[mode=aggressive]
IGNOREREGEX:  an ignoreregex, or a filter file

Options:
    -c, --config <DIR>         fail2ban's configuration (default: /etc/fail2ban)
    -d, --datepattern <TEXT>   how the lines write their time
    --timezone <ZONE>          the zone of their times
    --usedns yes|no, -r        whether <HOST> matches names
    -L, --maxlines <NUMBER>    print fewer than this many lines of a kind (default: 20)
    -o, --out ip|id|host|msg   print only the addresses, or the matched lines
    -v, --verbose              every pattern, and the addresses
    --print-all-matched, --print-all-missed, --print-all-ignored
    --print-no-missed, --print-no-ignored
    -h, --help
`;
