// npm run soak                                 an hour
// npm run soak -- --minutes 240 --record       four hours, and bench/record/DATE-soak.json
// npm run soak -- --seed 7                     the same order of events again
// npm run soak -- --only kill,flood            these episodes alone
//
// One daemon for a long time, with whatever happens to a daemon: floods, rotations, reloads, a flushed firewall, a full disk, clock jumps, a log daemon
// that is restarted, and in the last third restarts and kills. After each of them the kernel holds the book, packets agree with `list`, and every line
// counted exactly once. Of the first two thirds, which one process lives through, the memory at the end is compared with that after twelve minutes.
// Needs root. Exit status 1 when an invariant did not hold, or the memory grew by more than 5 %.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build, isBuilt } from "../../scripts/build.mjs";
import { packageRoot } from "../../src/config/package-root.ts";
import { readArguments } from "../support/arguments.ts";
import { namespaceFault } from "../support/namespace.ts";
import { until } from "../support/waiting.ts";
import { EPISODES, STATE_BYTES, type Stage } from "./episodes.ts";
import { expectBook, expectKernelIsBook, expectPackets } from "./invariants.ts";
import { loginJail } from "./login-jail.ts";
import { LogWriter } from "./log-writer.ts";
import { Random } from "./random.ts";
import { Breach } from "./scenario.ts";
import { Site } from "./site.ts";

const USAGE = `npm run soak -- [--minutes N] [--seed N] [--record] [--only EPISODE,…]\n\nEpisodes: ${EPISODES.map(({ name }) => name).join(", ")}`;
const given = readArguments("soak", USAGE, {
  minutes: "number",
  seed: "number",
  record: "flag",
  only: "text",
});
const only = given.text("only")?.split(",") ?? null;
const unknown = only?.filter((one) => !EPISODES.some(({ name }) => name === one)) ?? [];
const fault = unknown.length > 0 ? `there is no episode ${unknown.join(", ")}` : namespaceFault();
if (fault !== null) {
  process.stderr.write(`Cannot soak: ${fault}\n`);
  process.exit(2);
}

/** One memory reading, at the end of an episode. */
interface Sample {
  readonly minute: number;
  readonly residentMB: number;
  /** Of the first process, when it is warm. */
  readonly isCompared: boolean;
}

const MAXRETRY = 3;
const MOST_GROWTH = 0.05;
const FINDTIME = "10m";
/** In minutes: until then the counters of addresses that are not banned grow; afterwards findtime ends as many as begin. */
const WARM_UP = 12;
/** So many rotated files are kept: far more than a minute's. */
const KEPT_LOGS = 40;
const FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
/** For libfaketime: the time of day is shifted by what the file says, which it reads again each second. */
const CLOCK = { LD_PRELOAD: FAKETIME, FAKETIME_DONT_FAKE_MONOTONIC: "1", FAKETIME_CACHE_DURATION: "1" };
/** For messages that a log daemon sends. */
const SYSLOG_SOURCE = `  syslog: { type: syslog, listen: "unix:HOME/syslog.sock" }
`;
const SYSLOG_JAIL = `
  syslog:
    sources: [syslog]
    filter: { failregex: ['Failed password for root from <HOST>'] }
    maxretry: ${MAXRETRY}
    findtime: ${FINDTIME}
    bantime: 1h
    ignoreself: false
`;
const seed = given.number("seed") ?? Date.now() % 1_000_000;
const minutes = given.number("minutes") ?? 60;
const random = new Random(seed);
/** Chooses the episodes. The other one depends on the time that lines take. */
const order = new Random(seed);
const began = performance.now();
const minutesSince = (): number => (performance.now() - began) / 60_000;
const samples: Sample[] = [];
const counts: Record<string, number> = {};
let bans = 0;
let lines = 0;
let first = 1;
if (!isBuilt()) await build();
let breach: string | null = null;

const site = await Site.open(
  `${loginJail(MAXRETRY, FINDTIME).replace("targets:", `${SYSLOG_SOURCE}targets:`)}${SYSLOG_JAIL}`,
);
const state = site.home.file("state");
mkdirSync(state);
execFileSync("mount", ["-t", "tmpfs", "-o", `size=${STATE_BYTES}`, "stoplog-soak", state]);
const shift = site.home.file("clock-shift");
const shiftClock = existsSync(FAKETIME) ? (seconds: number) => setShift(seconds) : null;
if (shiftClock !== null) site.environment = { ...CLOCK, FAKETIME_TIMESTAMP_FILE: shift };
shiftClock?.(0);
const { all, calm } = chances();
writeFileSync(site.home.file("auth.log"), "");
site.launch();
await site.started();
const firstPid = site.status()?.pid;
process.stdout.write(`Soaking for ${minutes} minutes, seed ${seed}\n`);
try {
  while (minutesSince() < minutes) await episode();
} catch (error) {
  breach = error instanceof Error ? error.message : String(error);
  process.stdout.write(
    `BROKEN after ${minutesSince().toFixed(1)} minutes: ${breach}\n${site.log
      .split("\n")
      .filter((line) => !/ (Banned|Unbanned) /.test(line))
      .slice(-40)
      .join("\n")}\n`,
  );
  if (!(error instanceof Breach)) process.stdout.write(`${error instanceof Error ? error.stack : ""}\n`);
} finally {
  await site.end("SIGTERM");
  execFileSync("umount", ["-l", state]);
  await site.close();
}
report();

/** Episodes by weight; `calm` are those that one process lives through. Says what cannot be played. */
function chances(): { readonly all: readonly Chance[]; readonly calm: readonly Chance[] } {
  for (const { name, fault } of EPISODES) {
    const why = fault?.({ shiftClock }) ?? null;
    if (why !== null) process.stdout.write(`Left out: ${name}: ${why}\n`);
  }
  const chosen = EPISODES.filter(({ name }) => only?.includes(name) ?? true);
  const playable = chosen.filter(({ fault }) => (fault?.({ shiftClock }) ?? null) === null);
  const weighed = playable.flatMap((each) => Array.from({ length: each.weight }, () => each));
  const harmless = weighed.filter(({ endsProcess }) => endsProcess !== true);
  return { all: weighed, calm: harmless.length === 0 ? weighed : harmless };
}

function setShift(seconds: number): void {
  writeFileSync(shift, `${seconds < 0 ? "" : "+"}${seconds}\n`);
}

/** A flood at some rate with an event in the middle of it; then every invariant. */
async function episode(): Promise<void> {
  const { name, during } = order.pick(minutesSince() < (minutes * 2) / 3 ? calm : all);
  const writer = new LogWriter(site.home.file("auth.log"), first, {
    maxretry: MAXRETRY,
    random,
    append: true,
  });
  const rate = name === "quiet" ? 2 : order.pick([20, 400, 2000, 6000]);
  writer.start(rate);
  const fresh = (count: number): readonly string[] =>
    Array.from({ length: count }, (_, n) => `11.0.0.${n + 1}`);
  const stage: Stage = { site, writer, random, maxretry: MAXRETRY, state, shiftClock, fresh };
  const others = (await during(stage)) ?? [];
  writer.finish();
  const guilty = new Set([...writer.guilty, ...others]);
  await until(
    "every line is counted",
    () => difference(guilty, new Set(writer.innocent)) === "",
    () => difference(guilty, new Set(writer.innocent)),
  );
  await sleep(300);
  expectBook(site, guilty, new Set());
  await expectKernelIsBook(site);
  const some = (from: readonly string[]): readonly string[] => (from.length === 0 ? [] : [random.pick(from)]);
  await expectPackets(site, { banned: some(writer.guilty), free: some(writer.innocent) });
  await until(
    "the daemon is healthy",
    () => site.status()?.state === "healthy",
    () => site.status()?.troubles.join("; ") ?? "no answer",
  );
  remember();
  await site.command("unban", "--all");
  removeOldLogs();
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

/** What is wrong in the book; "" when nothing is. */
function difference(guilty: ReadonlySet<string>, tolerated: ReadonlySet<string>): string {
  try {
    expectBook(site, guilty, tolerated);
    return "";
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

function remember(): void {
  const pid = site.status()?.pid ?? 0;
  const resident = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  samples.push({
    minute: Math.round(minutesSince() * 10) / 10,
    residentMB: Math.round(Number(resident) / 102.4) / 10,
    isCompared: pid === firstPid && minutesSince() > WARM_UP,
  });
}

/** The daemon goes on reading a rotated file for a minute. */
function removeOldLogs(): void {
  for (let n = KEPT_LOGS; existsSync(site.home.file(`auth.log.${n}`)); n++)
    rmSync(site.home.file(`auth.log.${n}`));
}

function report(): void {
  const compared = samples.filter(({ isCompared }) => isCompared).map(({ residentMB }) => residentMB);
  const third = Math.floor(compared.length / 3);
  const [before, after] = [
    floorOf(compared.slice(0, third)),
    floorOf(compared.slice(compared.length - third)),
  ];
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
  if (given.flag("record")) {
    const folder = join(packageRoot(), "bench/record");
    mkdirSync(folder, { recursive: true });
    const day = new Date().toISOString().slice(0, 10);
    writeFileSync(join(folder, `${day}-soak.json`), `${JSON.stringify({ ...found, samples }, null, 2)}\n`);
  }
  if (growth > MOST_GROWTH) process.stdout.write(`The memory grew by ${(growth * 100).toFixed(1)} %.\n`);
  process.exit(breach !== null || growth > MOST_GROWTH ? 1 : 0);
}

/** The lowest tenth: what is above it is garbage that was not collected yet. A leak raises the floor. */
function floorOf(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 10)] ?? 0;
}

type Chance = (typeof EPISODES)[number];

/** Of 10.0.0.0/8. */
const MOST_ADDRESSES = 10_000_000;
