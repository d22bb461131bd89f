import { closeSync, copyFileSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { attacker } from "../corpora/attackers.ts";
import { workFolder, writeCorpus } from "../corpora/cache.ts";
import { Random } from "../corpora/random.ts";
import { SERVICES } from "../corpora/services.ts";
import { stampOf } from "../corpora/stamp.ts";
import type { FloodDefinition, FloodRival } from "../definition.ts";
import { type Figures, verify, WrongResult } from "../harness/outcome.ts";
import { type Contestant, runRounds } from "../harness/rounds.ts";
import { Arena } from "../rivals/daemon.ts";
import { daemonNamed } from "../rivals/daemons.ts";
import type { Workload } from "./workload.ts";

/** The whole daemon: the log is complete at the start, and its last line bans a new address. */
export const flood: Workload<FloodDefinition> = {
  async run(definition, settings) {
    const size = settings.quick ? 0.1 : 1;
    const contestants = definition.rivals.map((rival): Contestant => {
      const daemon = daemonNamed(rival.name);
      const share = size * (rival.share ?? 1);
      return {
        who: rival.name,
        missing: daemon.missing(),
        note: `${daemon.note}${share === size ? "" : `; ${(rival.share ?? 1) * 100} % of the lines and addresses`}`,
        ...(rival.rounds === "once" && !settings.full ? { most: 1 } : {}),
        run: () => once(definition, rival, share),
      };
    });
    const outcomes = await runRounds(contestants, settings.rounds);
    const lines = Math.round(definition.lines * size).toLocaleString("en-US");
    const addresses = addressesOf(definition, size).toLocaleString("en-US");
    return {
      columns: COLUMNS,
      outcomes,
      setting: `sshd: ${lines} failures of ${addresses} addresses, maxretry ${definition.maxretry}, appended at once`,
    };
  },
};

const COLUMNS = [
  { key: "seconds", label: "seconds until the last ban", digits: 3, compared: true },
  { key: "cpuSeconds", label: "CPU s", digits: 2, compared: true },
  { key: "peakMegabytes", label: "peak MB", digits: 1 },
  { key: "linesPerSecond", label: "lines/s", digits: 0 },
  { key: "bansPerSecond", label: "bans/s", digits: 0 },
] as const;

const service = "sshd";
/** Duration of the flood by the lines' own time. */
const SPAN_SECONDS = 60;
const PATIENCE_MS = 600_000;

async function once(definition: FloodDefinition, rival: FloodRival, share: number): Promise<Figures> {
  const { maxretry } = definition;
  const lines = Math.round(definition.lines * share);
  const addresses = addressesOf(definition, share);
  const prepared = prepareFlood(lines, addresses, maxretry);
  const arena = await Arena.open(rival.name, daemonNamed(rival.name), { service, maxretry });
  try {
    arena.start();
    await arena.ready();
    const content = readFileSync(prepared);
    const cpuBefore = arena.cpuMs();
    const before = process.hrtime.bigint();
    append(arena.log, content);
    const reached = await arena.watch.until(addresses + 1, PATIENCE_MS);
    arena.assertAlive();
    if (!reached) {
      throw new WrongResult(
        `${rival.name} has banned ${arena.watch.size} of ${addresses + 1} addresses in ${PATIENCE_MS / 1000} s`,
      );
    }
    const seconds = Number(arena.watch.last - before) / 1e9;
    const cpuSeconds = (arena.cpuMs() - cpuBefore) / 1000;
    verify(rival.name, "addresses", arena.watch.size, addresses + 1);
    arena.verifyKernel(addresses + 1);
    const { peak } = arena.memory();
    return {
      seconds,
      cpuSeconds,
      peakMegabytes: peak / 1e6,
      linesPerSecond: lines / seconds,
      bansPerSecond: (addresses + 1) / seconds,
    };
  } finally {
    arena.close();
  }
}

function addressesOf({ attackers }: FloodDefinition, share: number): number {
  return Math.max(1, Math.round(attackers * share));
}

/** The flood's lines, all failures, followed by those of one more address. The last line is of now. */
function prepareFlood(lines: number, attackers: number, maxretry: number): string {
  mkdirSync(workFolder, { recursive: true });
  const path = join(workFolder, "flood.log");
  const now = Date.now();
  const spec = {
    service,
    lines,
    failures: 1,
    attackers,
    visits: "passing",
    rate: Math.ceil(lines / SPAN_SECONDS),
    seed: 2,
  } as const;
  writeCorpus(spec, `${path}.lines`, now);
  copyFileSync(`${path}.lines`, path);
  const random = new Random(3);
  const last = attacker(attackers).text;
  const stamp = stampOf(Math.floor(now / 1000));
  const marker = Array.from(
    { length: maxretry },
    () => `${SERVICES[service].failure(stamp, last, random)}\n`,
  );
  const fd = openSync(path, "a");
  writeSync(fd, marker.join(""));
  closeSync(fd);
  return path;
}

function append(path: string, content: Buffer): void {
  const fd = openSync(path, "a");
  for (let at = 0; at < content.length;)
    at += writeSync(fd, content, at, Math.min(1 << 20, content.length - at));
  closeSync(fd);
}
