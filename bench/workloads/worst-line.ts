import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { filterNames } from "../../src/config/find-filter.ts";
import { workFolder } from "../corpora/cache.ts";
import { poisonedLines } from "../corpora/poison.ts";
import type { WorstLineDefinition } from "../definition.ts";
import type { WorstLine, WorstLineTask } from "../engines/worst-line.ts";
import { bundledEngine, engineFile, root } from "../harness/engine-bundle.ts";
import { type Figures, WrongResult } from "../harness/outcome.ts";
import { findProgram, runProgram } from "../harness/program.ts";
import { type Contestant, runRounds } from "../harness/rounds.ts";
import { HOSTILE } from "../patterns/hostile.ts";
import type { Workload } from "./workload.ts";

/** One line of the maximum length, as slow as we can make it. */
export const worstLine: Workload<WorstLineDefinition> = {
  async run(definition, settings) {
    const library = libraryCases(settings.quick ? 3 : Infinity);
    const contestants = definition.engines.map(({ name }): Contestant => {
      const told: string[] = [];
      return {
        who: name,
        missing:
          name === "python" && findProgram("/usr/bin/python3") === null ? "python3 is not installed" : null,
        get note() {
          return told.at(-1) ?? "";
        },
        run: () => once(name, definition.lineBytes, { library, told }),
      };
    });
    const outcomes = await runRounds(contestants, 1);
    const setting = `${library.length} filters of the library, ${HOSTILE.length} hostile patterns; lines of ${definition.lineBytes} bytes; stopped after ${STOP_MS / 1000} s`;
    return { columns: COLUMNS, outcomes, setting };
  },
};

const COLUMNS = [
  { key: "libraryMs", label: "library: worst ms", digits: 2 },
  { key: "hostileMs", label: "hostile: worst ms", digits: 2, compared: true },
  { key: "stopped", label: "stopped", digits: 0 },
  { key: "lines", label: "lines tried", digits: 0 },
] as const;

const STOP_MS = 10_000;

interface Case {
  readonly name: string;
  readonly filter: string | readonly string[];
  readonly samples: readonly string[];
}

interface Slowest {
  readonly ms: number;
  readonly lines: number;
  readonly stopped: boolean;
}

async function once(
  engine: string,
  lineBytes: number,
  { library, told }: { library: readonly Case[]; told: string[] },
): Promise<Figures> {
  const hostile = HOSTILE.map(({ name, patterns, samples }): Case => ({ name, filter: patterns, samples }));
  const results: (Slowest & { readonly each: Case })[] = [];
  for (const each of engine === "python" ? hostile : [...library, ...hostile]) {
    results.push({ each, ...(await worstOf(engine, each, lineBytes)) });
  }
  const worst = (of: readonly Case[]): { ms: number; name: string } | null =>
    results
      .filter(({ each }) => of.includes(each))
      .reduce<{ ms: number; name: string } | null>(
        (a, b) => (a !== null && a.ms >= b.ms ? a : { ms: b.ms, name: b.each.name }),
        null,
      );
  const [inLibrary, inHostile] = [worst(library), worst(hostile)];
  told.push(`worst filter ${inLibrary?.name ?? "–"}, worst pattern '${inHostile?.name ?? "–"}'`);
  return {
    libraryMs: inLibrary?.ms ?? null,
    hostileMs: inHostile?.ms ?? null,
    stopped: results.filter(({ stopped }) => stopped).length,
    lines: results.reduce((sum, { lines }) => sum + lines, 0),
  };
}

/** The slowest line of one filter; a line that exceeds the time limit counts as the limit. */
async function worstOf(engine: string, { filter, samples }: Case, lineBytes: number): Promise<Slowest> {
  const cost = await runProgram(await commandOf(engine, { filter, samples, lineBytes }), {
    timeoutMs: STOP_MS,
  });
  const stopped = cost.status !== 0 && cost.wallMs >= STOP_MS;
  if (cost.status !== 0 && !stopped) throw new WrongResult(`${engine} failed: ${cost.stderr.slice(-1000)}`);
  const last = cost.stdout.trim().split("\n").at(-1) ?? "";
  const found = last === "" ? { lines: 0, worstMs: 0 } : (JSON.parse(last) as WorstLine);
  return { ms: stopped ? STOP_MS : found.worstMs, lines: found.lines, stopped };
}

async function commandOf(engine: string, task: Omit<WorstLineTask, "engine">): Promise<readonly string[]> {
  if (engine !== "python") {
    const asked: WorstLineTask = { ...task, engine: engine === "stoplog" ? "stoplog" : "v8" };
    return [...(await bundledEngine("worst-line")), JSON.stringify(asked)];
  }
  mkdirSync(workFolder, { recursive: true });
  const lines = join(workFolder, "poisoned.txt");
  writeFileSync(lines, poisonedLines(task.samples, task.lineBytes).join("\n"), "latin1");
  return ["/usr/bin/python3", engineFile("worst-line.py"), JSON.stringify({ patterns: task.filter, lines })];
}

/** Each filter of the library, with the first lines of its own samples. */
function libraryCases(most: number): readonly Case[] {
  const folder = join(root, "filters");
  return filterNames([folder])
    .slice(0, most)
    .map((name) => {
      const lines = readFileSync(join(folder, name, "samples.log"), "latin1").split("\n");
      const samples = lines.filter((line) => line !== "" && !line.startsWith("#")).slice(0, SAMPLES);
      return { name, filter: name, samples };
    });
}

const SAMPLES = 6;
