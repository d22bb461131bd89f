import type { LineKind, RegexTrial } from "./regex-trial.ts";

export interface Report {
  readonly trial: RegexTrial;
  readonly failregex: readonly string[];
  readonly ignoreregex: readonly string[];
  readonly prefregex: string | null;
  readonly datepattern: string | null;
  /** Why some failregex are not tried, by their number. */
  readonly untried: ReadonlyMap<number, string>;
  readonly isVerbose: boolean;
  /** The kinds of lines that are printed, and above how many of them only their number; null for any number. */
  readonly print: readonly (readonly [kind: LineKind, most: number | null])[];
  readonly seconds: number;
}

/** What `fail2ban-regex` prints after its tests. */
export function* reportLines(report: Report): Generator<string> {
  const { trial, prefregex, datepattern, seconds } = report;
  const { matched, ignored, missed } = trial.counts;
  yield* ["", "Results", "======="];
  if (prefregex !== null) yield* ["", `Prefregex: ${trial.prefixed} total`, ...boxed([prefregex])];
  const fails = report.failregex.map((text, i) => ({ text, hits: trial.hits.get(i + 1) ?? 0 }));
  yield* patternLines("Failregex", fails, report);
  const ignores = report.ignoreregex.map((text, i) => ({ text, hits: trial.ignoreHits[i] ?? 0 }));
  yield* patternLines("Ignoreregex", ignores, report);
  const dates = trial.dated === 0 ? [] : [`[${trial.dated}] ${datepattern ?? "{DEFAULT}"}`];
  yield* ["", "Date template hits:", ...boxed(dates, "[# of hits] date format"), ""];
  const lines = matched + ignored + missed;
  yield `Lines: ${lines} lines, ${ignored} ignored, ${matched} matched, ${missed} missed`;
  yield `[processed in ${seconds.toFixed(2)} sec]`;
  yield "";
  for (const [kind, most] of report.print) yield* printedLines(kind, most, trial);
}

function* patternLines(
  title: string,
  patterns: readonly { readonly text: string; readonly hits: number }[],
  { trial, isVerbose, untried }: Report,
): Generator<string> {
  const isFail = title === "Failregex";
  const rows = patterns.flatMap(({ text, hits }, i) => {
    const why = isFail ? untried.get(i + 1) : undefined;
    if (hits === 0 && !isVerbose) return [];
    const hosts = isFail && isVerbose ? (trial.hosts.get(i + 1) ?? []) : [];
    return [
      `${String(i + 1).padStart(2)}) [${hits}] ${text}`,
      ...(why === undefined ? [] : [`    not tried: Stoplog cannot use it: ${why}`]),
      ...hosts.map(({ host, at }) => `    ${host}  ${asctime(at)}`),
    ];
  });
  yield* ["", `${title}: ${patterns.reduce((sum, { hits }) => sum + hits, 0)} total`];
  yield* boxed(rows, " #) [# of hits] regular expression");
}

function* printedLines(kind: LineKind, most: number | null, trial: RegexTrial): Generator<string> {
  const count = trial.counts[kind];
  if (count === 0) return;
  const heading = `${kind.charAt(0).toUpperCase()}${kind.slice(1)} line(s):`;
  if (most !== null && count >= most) {
    yield `${heading} too many to print.  Use --print-all-${kind} to print all ${count} lines`;
    return;
  }
  const left = count - trial.lines[kind].length;
  yield* boxed([...trial.lines[kind], ...(left > 0 ? [`… and ${left} more lines`] : [])], heading);
}

function boxed(lines: readonly string[], heading?: string): readonly string[] {
  if (lines.length === 0) return [];
  return [
    ...(heading === undefined ? [] : [`|- ${heading}`]),
    ...lines.map((line) => `|  ${line.trimEnd()}`),
    "`-",
  ];
}

/** `Fri Nov 20 14:44:48 2026`, by the machine's zone. */
function asctime(at: number): string {
  const [, day = "", month = "", date = "", year = "", time = ""] =
    /^(\w+) (\w+) (\d+) (\d+) ([\d:]+)/.exec(new Date(at).toString()) ?? [];
  return `${day} ${month} ${date} ${time} ${year}`;
}
