import { type Corpus, corpusFile } from "../corpora/cache.ts";
import type { CorpusSpec } from "../corpora/corpus.ts";
import type { ScanDefinition, ScanEngine } from "../definition.ts";
import { verify, WrongResult } from "../harness/outcome.ts";
import { type Contestant, runRounds } from "../harness/rounds.ts";
import { SCANNERS } from "../rivals/scanners.ts";
import type { Workload } from "./workload.ts";

export const scan: Workload<ScanDefinition> = {
  async run(definition, settings) {
    const now = Date.now();
    const smaller = settings.quick ? 0.2 : 1;
    const corpusFor = (share: number): Corpus => corpusFile(specOf(definition, share * smaller), now);
    const whole = corpusFor(1);
    if (!settings.quick) verifyExpected(definition, whole);
    const contestants = definition.engines.map((engine) => contestant(engine, definition, corpusFor));
    const outcomes = await runRounds(contestants, settings.rounds);
    return { columns: COLUMNS, outcomes, setting: settingOf(definition, whole) };
  },
};

const COLUMNS = [
  { key: "nsPerLine", label: "ns/line", digits: 1, compared: true },
  { key: "cpuSecondsPerMillion", label: "CPU s/M lines", digits: 3, compared: true },
  { key: "linesPerSecond", label: "lines/s", digits: 0 },
  { key: "firstNsPerLine", label: "first pass", digits: 1 },
  { key: "peakMegabytes", label: "peak MB", digits: 1 },
] as const;

/** Lines per second by the lines' own time: a million lines span somewhat more than three minutes. */
const LINES_A_SECOND = 5000;
/** V8 compiles code that runs once in a hundred lines in the fourth or fifth pass; a running daemon is past that. */
const PASSES = 8;

function contestant(
  { name, share }: ScanEngine,
  definition: ScanDefinition,
  corpusFor: (share: number) => Corpus,
): Contestant {
  const scanner = SCANNERS[name];
  if (scanner === undefined) throw new Error(`${definition.name} names an unknown engine: ${name}`);
  const { patterns, maxretry, corpus } = definition;
  const part = share === undefined ? "" : `; ${share * 100} % of the lines`;
  return {
    who: name,
    missing: scanner.missing(),
    note: `${scanner.note}${part}`,
    run: () =>
      scanner.scan(name, {
        corpus: corpusFor(share ?? 1),
        service: corpus.service,
        patterns,
        maxretry,
        passes: PASSES,
      }),
  };
}

function specOf({ corpus }: ScanDefinition, share: number): CorpusSpec {
  return { ...corpus, lines: Math.round(corpus.lines * share), rate: LINES_A_SECOND, seed: 1 };
}

function verifyExpected({ name, expect, maxretry }: ScanDefinition, corpus: Corpus): void {
  verify(`the corpus of ${name}`, "failures", corpus.failures, expect.failures);
  const banned = corpus.atLeast[maxretry];
  if (banned === undefined)
    throw new WrongResult(`the corpus of ${name} does not tell who fails ${maxretry} times`);
  verify(`the corpus of ${name}`, "addresses to ban", banned, expect.banned);
}

function settingOf({ corpus, patterns, maxretry }: ScanDefinition, made: Corpus): string {
  const size = `${made.lines.toLocaleString("en-US")} lines, ${(made.bytes / 1e6).toFixed(0)} MB`;
  const who = `${made.failures.toLocaleString("en-US")} failures of ${corpus.attackers.toLocaleString("en-US")} addresses`;
  return `${corpus.service}: ${size}, ${who}, ${patterns} patterns, maxretry ${maxretry}`;
}
