// How long one line can take: the slowest of many poisoned lines for one filter, each timed alone.
//
//   node worst-line.mjs '{"filter": "sshd" | {"failregex": [...]}, "samples": [...], "lineBytes": 8192, "engine": "stoplog" | "v8"}'
//
// `v8` runs the same regular expressions without Stoplog's guards. Prints a line before each poisoned line, which may
// never end, to identify it.

import { setFlagsFromString } from "node:v8";
import { loadFilterFile } from "../../src/config/find-filter.ts";
import { compileFilter, type FilterDefinition } from "../../src/match/filter/filter.ts";
import { createMatcher } from "../../src/match/matcher.ts";
import { fixedZone } from "../../src/match/time/time-zone.ts";
import { poisonedLines } from "../corpora/poison.ts";

/** The engine's task. */
export interface WorstLineTask {
  /** A filter of the library by name, or patterns. */
  readonly filter: string | readonly string[];
  readonly samples: readonly string[];
  readonly lineBytes: number;
  readonly engine: "stoplog" | "v8";
}

/** The slowest line. */
export interface WorstLine {
  readonly lines: number;
  readonly worstMs: number;
  /** Its first bytes. */
  readonly line: string;
}

const task = JSON.parse(process.argv[2] ?? "") as WorstLineTask;
const { filter } = compileFilter(definitionOf(task.filter));
if (filter === null) throw new Error("the filter cannot be used");
const look = task.engine === "stoplog" ? byStoplog() : byPlainV8();

// Warm-up: this measures lines, not the first call of a function.
const lines = poisonedLines(task.samples, task.lineBytes);
for (const sample of task.samples) for (let i = 0; i < 50; i++) look(Buffer.from(`${sample}\n`, "latin1"));

let worst: WorstLine = { lines: lines.length, worstMs: 0, line: "" };
for (const line of lines) {
  const bytes = Buffer.from(`${line}\n`, "latin1");
  // The better of two runs: leaves out a garbage collection or a task switch in one of them.
  const took = Math.min(timed(bytes), timed(bytes));
  if (took <= worst.worstMs) continue;
  worst = { ...worst, worstMs: took, line: line.slice(0, 120) };
  process.stdout.write(`${JSON.stringify(worst)}\n`);
}
process.stdout.write(`${JSON.stringify(worst)}\n`);

function timed(bytes: Buffer): number {
  const before = process.hrtime.bigint();
  look(bytes);
  return Number(process.hrtime.bigint() - before) / 1e6;
}

function byStoplog(): (bytes: Buffer) => void {
  const matcher = createMatcher([filter!]);
  const context = { now: Date.now(), zone: fixedZone(0) };
  return (bytes) => matcher.scan({ bytes, start: 0, end: bytes.length, backlog: false }, context, () => {});
}

function byPlainV8(): (bytes: Buffer) => void {
  setFlagsFromString("--no-enable-experimental-regexp-engine-on-excessive-backtracks");
  const tests = [
    ...filter!.patterns,
    ...filter!.ignore,
    ...(filter!.prefix === null ? [] : [filter!.prefix]),
  ];
  // Wrapped in a group: V8 would find the guarded expressions in its compilation cache.
  const regexes = tests.map(({ source }) => new RegExp(`(?:${source})`));
  return (bytes) => {
    const text = bytes.toString("latin1", 0, bytes.length - 1);
    for (const regex of regexes) regex.exec(text);
  };
}

function definitionOf(named: string | readonly string[]): FilterDefinition {
  if (typeof named !== "string") return { name: "hostile", failregex: named, ignoreregex: [], goodregex: [] };
  const { definition } = loadFilterFile(named);
  if (definition === null) throw new Error(`there is no filter ${named}`);
  return definition;
}
