import { openSync, closeSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Corpus, workFolder } from "../corpora/cache.ts";
import type { FileToDecisionPass, FileToDecisionTask } from "../engines/file-to-decision.ts";
import { bundledEngine, engineFile } from "../harness/engine-bundle.ts";
import { type Figures, verify, WrongResult } from "../harness/outcome.ts";
import { type Cost, findProgram, runProgram } from "../harness/program.ts";
import { median } from "../harness/statistics.ts";
import { patternFile } from "../patterns/pattern-set.ts";

/** Longer than the slowest engine needs: an engine that takes longer hangs. */
const PATIENCE = { timeoutMs: 300_000 } as const;

/** The task of a scanner. */
export interface ScanTask {
  readonly corpus: Corpus;
  /** The library's filter for the failures of the corpus. */
  readonly service: string;
  readonly patterns: number;
  readonly maxretry: number;
  readonly passes: number;
}

/** A program that reads a file of lines; most find its failures, one only counts lines. */
export interface Scanner {
  /** Why it cannot run here, or null. */
  missing(): string | null;
  readonly note: string;
  scan(who: string, task: ScanTask): Promise<Figures>;
}

export const SCANNERS: Readonly<Record<string, Scanner>> = {
  stoplog: {
    missing: () => null,
    note: "to the decision; passes after the first, which has its own column",
    scan: (who, task) => fileToDecision(who, task, "fast"),
  },
  naive: {
    missing: () => null,
    note: "every pattern on every line, to the decision",
    scan: (who, task) => fileToDecision(who, task, "naive"),
  },
  "stoplog-sessions": {
    missing: () => null,
    note: "the same, and the lines of each sshd process are a session",
    scan: (who, task) => fileToDecision(who, task, "fast", true),
  },
  wc: command("wc", {
    note: "wc -l: finds line ends only",
    times: 20,
    args: (_, paths) => ["-l", ...paths],
    check: (who, { stdout }, { corpus }, times) =>
      verify(who, "lines", leadingNumber(stdout.trim().split("\n").at(-1) ?? ""), corpus.lines * times),
  }),
  grep: command("grep", {
    note: "grep -cE -f, the same patterns: counts lines, reads no address and no time",
    times: 1,
    args: ({ patterns }, paths) => ["-chE", "-f", patternFile(patterns), ...paths],
    check: countsFailures,
  }),
  rg: command("rg", {
    note: "rg -c -f, the same patterns: counts lines, reads no address and no time",
    times: 3,
    args: ({ patterns }, paths) => [...RIPGREP, "-f", patternFile(patterns), ...paths],
    check: countsFailures,
  }),
  "fail2ban-filter": {
    missing: () =>
      findProgram("/usr/bin/fail2ban-server") === null || findProgram("/usr/bin/python3") === null
        ? "Debian's fail2ban is not installed (apt install fail2ban)"
        : null,
    note: "its filter objects alone, one jail with its stock filter, to the decision; no server, no log, no action",
    scan: fail2banFilter,
  },
  "sshguard-parser": {
    missing: () => (parser() === null ? "Debian's sshguard is not installed (apt install sshguard)" : null),
    note: "sshg-parser: all of its built-in patterns, to one line for each attack",
    scan: sshguard,
  },
};

/** Counts without Unicode classes and with one thread: its fastest mode here, and comparable to ours. */
const RIPGREP = ["-c", "--no-filename", "--include-zero", "--no-unicode", "--no-config", "-j1"] as const;

/**
 * A program that reads the file so many times that its work outweighs its start. The cost of the start is subtracted: the
 * same command on an empty file, measured with each run.
 */
function command(
  program: string,
  how: {
    readonly note: string;
    readonly times: number;
    args(task: ScanTask, paths: readonly string[]): readonly string[];
    check(who: string, cost: Cost, task: ScanTask, times: number): void;
  },
): Scanner {
  return {
    missing: () => (findProgram(program) === null ? `${program} is not in the path` : null),
    note: how.note,
    async scan(who, task) {
      const files = Array<string>(how.times).fill(task.corpus.path);
      const start = await runProgram([program, ...how.args(task, [emptyFile()])]);
      const cost = await runProgram([program, ...how.args(task, files)]);
      how.check(who, cost, task, how.times);
      return external(cost, start, task.corpus.lines * how.times);
    },
  };
}

function external(cost: Cost, start: Cost, lines: number): Figures {
  const wall = cost.wallMs - start.wallMs;
  const cpu = cost.cpuMs === null || start.cpuMs === null ? null : cost.cpuMs - start.cpuMs;
  return figures({ wallMs: wall, cpuMs: cpu, firstMs: null, peakBytes: cost.peakBytes }, lines);
}

async function fileToDecision(
  who: string,
  task: ScanTask,
  engine: "fast" | "naive",
  sessions = false,
): Promise<Figures> {
  const { path, bytes, end, failures, addressSum, lines } = task.corpus;
  const { patterns, maxretry } = task;
  const asked: FileToDecisionTask = {
    path,
    bytes,
    end,
    patterns,
    engine,
    sessions,
    maxretry,
    passes: engine === "naive" ? 2 : task.passes,
  };
  const cost = await runProgram(
    [...(await bundledEngine("file-to-decision")), JSON.stringify(asked)],
    PATIENCE,
  );
  const { passes } = answerOf(who, cost) as { passes: readonly FileToDecisionPass[] };
  for (const pass of passes) {
    verify(who, "failures", pass.failures, failures);
    verify(who, "as the sum of addresses", pass.addressSum, addressSum);
    verify(who, "bans", pass.banned, task.corpus.atLeast[maxretry] ?? Number.NaN);
  }
  const later = passes.slice(1);
  return figures(
    {
      wallMs: median(later.map((pass) => pass.wallMs)),
      cpuMs: median(later.map((pass) => pass.cpuMs)),
      firstMs: passes[0]?.wallMs ?? null,
      peakBytes: cost.peakBytes,
    },
    lines,
  );
}

async function fail2banFilter(who: string, task: ScanTask): Promise<Figures> {
  const { path, end, lines, failures, addressSum } = task.corpus;
  const own = FAIL2BAN[task.service];
  if (own === undefined) throw new WrongResult(`${who} has no filter for ${task.service}`);
  const asked = { path, end, ...own, maxretry: task.maxretry };
  const cost = await runProgram(
    ["/usr/bin/python3", engineFile("fail2ban-filter.py"), JSON.stringify(asked)],
    PATIENCE,
  );
  const answer = answerOf(who, cost) as {
    lines: number;
    wallMs: number;
    cpuMs: number;
    failures: number;
    addressSum: number;
    banned: number;
  };
  verify(who, "lines", answer.lines, lines);
  verify(who, "failures", answer.failures, failures);
  verify(who, "as the sum of addresses", answer.addressSum, addressSum);
  verify(who, "bans", answer.banned, task.corpus.atLeast[task.maxretry] ?? Number.NaN);
  return figures(
    { wallMs: answer.wallMs, cpuMs: answer.cpuMs, firstMs: null, peakBytes: cost.peakBytes },
    lines,
  );
}

/** Its own filter by name when it has one for the failures of the corpus; otherwise a pattern that a user wrote. */
const FAIL2BAN: Readonly<
  Record<string, { readonly filter: string | null; readonly failregex: string | null }>
> = {
  sshd: { filter: "sshd", failregex: null },
  kernel: { filter: null, failregex: String.raw`kernel: .*SYNFLOOD: .*SRC=<HOST> DST=.* SYN URGP=` },
};

async function sshguard(who: string, task: ScanTask): Promise<Figures> {
  const program = parser() ?? "";
  const run = async (path: string): Promise<Cost> => {
    const stdin = openSync(path, "r");
    try {
      return await runProgram([program], { stdin });
    } finally {
      closeSync(stdin);
    }
  };
  const start = await run(emptyFile());
  const cost = await run(task.corpus.path);
  verify(who, "attacks", cost.stdout.split("\n").length - 1, task.corpus.failures);
  return external(cost, start, task.corpus.lines);
}

/** Debian's path, or the one in the environment. */
function parser(): string | null {
  return findProgram(
    process.env["SSHG_PARSER"] ?? "/usr/libexec/sshguard/sshg-parser",
    "/usr/lib/sshguard/sshg-parser",
  );
}

function figures(
  cost: { wallMs: number; cpuMs: number | null; firstMs: number | null; peakBytes: number | null },
  lines: number,
): Figures {
  return {
    nsPerLine: (cost.wallMs * 1e6) / lines,
    linesPerSecond: lines / (cost.wallMs / 1000),
    cpuSecondsPerMillion: cost.cpuMs === null ? null : (cost.cpuMs / lines) * 1000,
    firstNsPerLine: cost.firstMs === null ? null : (cost.firstMs * 1e6) / lines,
    peakMegabytes: cost.peakBytes === null ? null : cost.peakBytes / 1e6,
  };
}

/** Both print a count for each file. */
function countsFailures(who: string, cost: Cost, { corpus }: ScanTask, times: number): void {
  const counts = cost.stdout.trim().split("\n").map(Number);
  verify(who, "files", counts.length, times);
  for (const count of counts) verify(who, "matching lines", count, corpus.failures);
}

function leadingNumber(text: string): number {
  return Number(/^\s*(\d+)/.exec(text)?.[1] ?? Number.NaN);
}

/** The last line that the engine printed. */
function answerOf(who: string, cost: Cost): unknown {
  const line = cost.stdout.trim().split("\n").at(-1) ?? "";
  if (cost.status !== 0 || line === "") {
    throw new WrongResult(`${who} failed with status ${cost.status}: ${cost.stderr.trim().slice(-2000)}`);
  }
  return JSON.parse(line);
}

function emptyFile(): string {
  const path = join(workFolder, "empty");
  writeFileSync(path, "");
  return path;
}
