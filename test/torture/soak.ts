// npm run soak                                 an hour
// npm run soak -- --minutes 240 --record       four hours, and bench/record/DATE-soak.json
// npm run soak -- --seed 7                     the same order of events again
//
// One daemon for a long time, with whatever happens to a daemon: floods, rotations, reloads, kills, restarts, a flushed firewall, hand-made bans. After
// each of them the kernel holds the book, packets agree with `list`, and every line counted exactly once. Memory at the end is compared with that of
// the beginning. Needs root. Exit status 1 when an invariant did not hold, or the memory grew by more than 5 %.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { packageRoot } from "../../src/config/package-root.ts";
import { namespaceFault } from "../support/namespace.ts";
import { until } from "../support/waiting.ts";
import { expectBook, expectKernelIsBook, expectPackets } from "./invariants.ts";
import { loginJail } from "./login-jail.ts";
import { LogWriter } from "./log-writer.ts";
import { Random } from "./random.ts";
import { Breach } from "./scenario.ts";
import { Site } from "./site.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string" }, seed: { type: "string" }, record: { type: "boolean" } },
});
const fault = namespaceFault();
if (fault !== null) {
  process.stderr.write(`Cannot soak: ${fault}\n`);
  process.exit(2);
}

/** One memory reading, at the end of an episode. */
interface Sample {
  readonly minute: number;
  readonly residentMB: number;
  /** Whether the process is at least a minute old. */
  readonly isWarm: boolean;
}

interface Episode {
  readonly name: string;
  /** How often it is chosen, beside the others. */
  readonly weight: number;
  readonly during: (site: Site, writer: LogWriter, random: Random) => Promise<void>;
}

const EPISODES: readonly Episode[] = [
  { name: "flood", weight: 6, during: (_, __, random) => sleep(5000 + random.below(15_000)) },
  { name: "quiet", weight: 2, during: () => sleep(10_000) },
  {
    name: "rotations",
    weight: 3,
    during: async (_, writer, random) => {
      for (let times = 1 + random.below(4); times > 0; times--) {
        await sleep(random.below(2000));
        writer.rotate();
      }
    },
  },
  {
    name: "reloads",
    weight: 3,
    during: async (site, _, random) => {
      for (let times = 1 + random.below(4); times > 0; times--) {
        site.signal("SIGHUP");
        await sleep(500 + random.below(1500));
      }
    },
  },
  {
    name: "flushed firewall",
    weight: 2,
    during: async (site) => {
      site.server.run("nft", "flush", "ruleset");
      await sleep(2500);
    },
  },
  {
    name: "restart",
    weight: 1,
    during: async (site, _, random) => {
      await sleep(random.below(3000));
      await site.end("SIGTERM");
      await sleep(random.below(1000));
      site.launch();
      await site.started();
    },
  },
  {
    name: "kill",
    weight: 1,
    during: async (site, _, random) => {
      await sleep(random.below(8000));
      await site.end("SIGKILL");
      site.launch();
      await site.started();
    },
  },
];

const MAXRETRY = 3;
const chances = EPISODES.flatMap((episode) => Array.from({ length: episode.weight }, () => episode));
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const minutes = Number(values.minutes ?? 60);
const random = new Random(seed);
const began = performance.now();
const minutesSince = (): number => (performance.now() - began) / 60_000;
const samples: Sample[] = [];
const counts: Record<string, number> = {};
let bans = 0;
let lines = 0;
let first = 1;
let breach: string | null = null;

const site = await Site.open(loginJail(MAXRETRY));
let born = performance.now();
let pid = 0;
writeFileSync(site.home.file("auth.log"), "");
site.launch();
await site.started();
process.stdout.write(`Soaking for ${minutes} minutes, seed ${seed}\n`);
try {
  while (minutesSince() < minutes) await episode();
} catch (error) {
  if (!(error instanceof Breach)) throw error;
  breach = error.message;
  process.stdout.write(
    `BROKEN after ${minutesSince().toFixed(1)} minutes: ${breach}\n${site.log.slice(-3000)}\n`,
  );
} finally {
  await site.close();
}
report();

/** A flood at some rate with an event in the middle of it; then every invariant. */
async function episode(): Promise<void> {
  const { name, during } = random.pick(chances);
  const writer = new LogWriter(site.home.file("auth.log"), first, {
    maxretry: MAXRETRY,
    random,
    append: true,
  });
  const rate = name === "quiet" ? 2 : random.pick([20, 400, 2000, 6000]);
  writer.start(rate);
  await during(site, writer, random);
  writer.finish();
  const guilty = new Set(writer.guilty);
  await until("every line is counted", () => holds(() => expectBook(site, guilty, new Set(writer.innocent))));
  await sleep(300);
  expectBook(site, guilty, new Set());
  await expectKernelIsBook(site);
  const some = (from: readonly string[]): readonly string[] => (from.length === 0 ? [] : [random.pick(from)]);
  await expectPackets(site, { banned: some(writer.guilty), free: some(writer.innocent) });
  const status = site.status();
  if (status === null) throw new Breach("the daemon does not answer");
  if (status.state !== "healthy")
    throw new Breach(`the daemon is ${status.state}: ${status.troubles.join("; ")}`);
  remember(status.pid);
  await site.command("unban", "--all");
  counts[name] = (counts[name] ?? 0) + 1;
  bans += writer.guilty.length;
  lines += writer.guilty.length * MAXRETRY + writer.innocent.length * (MAXRETRY - 1);
  first += writer.guilty.length + writer.innocent.length + 1000;
  if (first > MOST_ADDRESSES) first = 1;
  const now = samples.at(-1)?.residentMB ?? 0;
  process.stdout.write(
    `${minutesSince().toFixed(1)} min: ${name} at ${rate} lines/s, ${writer.guilty.length} bans, ${now} MB\n`,
  );
}

function holds(check: () => void): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

function remember(now: number): void {
  if (now !== pid) {
    pid = now;
    born = performance.now();
  }
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  samples.push({
    minute: Math.round(minutesSince() * 10) / 10,
    residentMB: Math.round(Number(resident) / 102.4) / 10,
    isWarm: performance.now() - born > 60_000,
  });
}

function report(): void {
  const warm = samples.filter(({ isWarm }) => isWarm).map(({ residentMB }) => residentMB);
  const third = Math.floor(warm.length / 3);
  const [before, after] = [median(warm.slice(0, third)), median(warm.slice(warm.length - third))];
  const growth = third === 0 ? 0 : after / before - 1;
  const found = {
    minutes: Math.round(minutesSince()),
    seed,
    lines,
    bans,
    episodes: counts,
    before,
    after,
    growth,
    breach,
  };
  process.stdout.write(`${JSON.stringify(found)}\n`);
  if (values.record === true) {
    const folder = join(packageRoot(), "bench/record");
    mkdirSync(folder, { recursive: true });
    const day = new Date().toISOString().slice(0, 10);
    writeFileSync(join(folder, `${day}-soak.json`), `${JSON.stringify({ ...found, samples }, null, 2)}\n`);
  }
  if (growth > MOST_GROWTH) process.stdout.write(`The memory grew by ${(growth * 100).toFixed(1)} %.\n`);
  process.exit(breach !== null || growth > MOST_GROWTH ? 1 : 0);
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;
}

const MOST_GROWTH = 0.05;
/** Of 10.0.0.0/8. */
const MOST_ADDRESSES = 10_000_000;
