import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { workFolder } from "../corpora/cache.ts";
import { Random } from "../corpora/random.ts";
import type { ListsDefinition } from "../definition.ts";
import type { ListsResult, ListsTask } from "../engines/load-lists.ts";
import { bundledEngine } from "../harness/engine-bundle.ts";
import { Namespace } from "../harness/namespace.ts";
import { type Figures, verify, WrongResult } from "../harness/outcome.ts";
import { runProgram } from "../harness/program.ts";
import { type Contestant, runRounds } from "../harness/rounds.ts";
import { quantile } from "../harness/statistics.ts";
import type { Workload } from "./workload.ts";

/** A large list loaded from a file into the kernel, replaced by another, then halved, while bans continue. */
export const lists: Workload<ListsDefinition> = {
  async run(definition, settings) {
    const entries = settings.quick ? definition.entries / 10 : definition.entries;
    const folder = join(workFolder, `lists-${process.pid}`);
    mkdirSync(folder, { recursive: true });
    try {
      const files = writeLists(folder, entries);
      const contestants = definition.engines.map(({ name }): Contestant => ({
        who: name,
        missing: Namespace.missing(),
        ...(name === "nft" ? { note: NFT_NOTE, most: 2 } : {}),
        run: () => once({ engine: name, files, pauseMs: definition.pauseMs }, entries),
      }));
      const outcomes = await runRounds(contestants, settings.rounds);
      const setting = `${entries} entries: hosts and /24 of IPv4, /48 of IPv6, in no order; a ban every ${definition.pauseMs} ms`;
      return { columns: COLUMNS, outcomes, setting };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

const COLUMNS = [
  { key: "loadMs", label: "loaded ms", digits: 0, compared: true },
  { key: "replaceMs", label: "replaced ms", digits: 0 },
  { key: "halfMs", label: "half removed ms", digits: 0 },
  { key: "banP99Ms", label: "ban p99 ms", digits: 2, compared: true },
  { key: "idleBanP99Ms", label: "idle", digits: 2 },
  { key: "banMaxMs", label: "longest ban ms", digits: 1 },
  { key: "bans", label: "bans", digits: 0 },
  { key: "longestTurnMs", label: "longest turn ms", digits: 1 },
  { key: "cpuMs", label: "CPU ms", digits: 0 },
  { key: "peakMegabytes", label: "peak MB", digits: 0 },
] as const;

const NFT_NOTE =
  "sets of intervals by the nft program, which is started for each ban as well; its CPU time and memory are not counted here";

async function once(task: ListsTask, entries: number): Promise<Figures> {
  const space = Namespace.open();
  try {
    const command = space.wrap([...(await bundledEngine("load-lists")), JSON.stringify(task)]);
    const { status, stdout, stderr } = await runProgram(command, { timeoutMs: 600_000 });
    if (status !== 0) throw new WrongResult(`${task.engine} failed: ${stderr.slice(-1000)}`);
    const { tookMs, banMs, idleBanMs, longestTurnMs, cpuMs, peakMegabytes } = JSON.parse(
      stdout,
    ) as ListsResult;
    const table = task.engine === "nft" ? "lists" : "stoplog_lists";
    verify(task.engine, "elements in the kernel", space.elements(table), entries / 2);
    const own = task.engine === "nft" ? null : 1;
    return {
      loadMs: tookMs[0]!,
      replaceMs: tookMs[1]!,
      halfMs: tookMs[2]!,
      banP99Ms: quantile(banMs, 0.99),
      idleBanP99Ms: quantile(idleBanMs, 0.99),
      banMaxMs: Math.max(...banMs),
      bans: banMs.length,
      longestTurnMs: own && longestTurnMs,
      cpuMs: own && cpuMs,
      peakMegabytes: own && peakMegabytes,
    };
  } finally {
    space.close();
  }
}

/** The list, another of the same length, and half of that. No two entries are adjacent, so none are merged. */
function writeLists(folder: string, entries: number): readonly string[] {
  const first = shuffled(Array.from({ length: entries }, (_, i) => entry(i, 1)));
  const other = Array.from({ length: entries }, (_, i) => entry(i, 3));
  // The kinds take turns, so both halves have the same share of each.
  const half = shuffled(other.slice(0, entries / 2));
  return [first, shuffled(other), half].map((lines, i) => {
    const path = join(folder, `${i}.txt`);
    writeFileSync(path, `${lines.join("\n")}\n`);
    return path;
  });
}

/** One entry in 25 is a /48, two are a /24. */
function entry(i: number, offset: number): string {
  const kind = i % 25;
  if (kind === 0) return `2400:${(i >> 8).toString(16)}:${((i & 255) * 4 + offset).toString(16)}::/48`;
  const word = kind < 3 ? 0x30000000 + i * 1024 + offset * 256 : 0x2c000000 + i * 64 + offset;
  const text = [24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join(".");
  return kind < 3 ? `${text}/24` : text;
}

function shuffled(lines: string[]): string[] {
  const random = new Random(6);
  for (let i = lines.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [lines[i], lines[j]] = [lines[j]!, lines[i]!];
  }
  return lines;
}
