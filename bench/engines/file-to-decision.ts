// Stoplog from a file's first byte to the last decision: FileSource, matcher, jail and book, connected as in the daemon, in
// a process of their own, without the kernel. Reads the file several times, since a daemon's code is compiled long before
// a flood; the first pass is reported separately.
//
//   node file-to-decision.mjs '{"path": …, "bytes": …, "end": …, "patterns": …, "engine": "fast", "maxretry": …, "passes": …}'

import { Book } from "../../src/book/book.ts";
import type { Address } from "../../src/core/address.ts";
import type { LineBatch } from "../../src/core/batch.ts";
import { ManualClock } from "../../src/core/clock.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { LineMatch } from "../../src/core/line-match.ts";
import { DAY, HOUR } from "../../src/core/time.ts";
import type { JailConfig } from "../../src/config/config.ts";
import { NameLookup } from "../../src/daemon/name-lookup.ts";
import { runningJail } from "../../src/daemon/build-jails.ts";
import { Flow, type Wiring } from "../../src/daemon/pipeline.ts";
import { Evidence } from "../../src/jail/evidence.ts";
import { IgnoreList } from "../../src/jail/ignore.ts";
import { Jail } from "../../src/jail/jail.ts";
import { compileFilter } from "../../src/match/filter/filter.ts";
import { createMatcher, type Matcher } from "../../src/match/matcher.ts";
import type { BannedHosts } from "../../src/match/banned/banned-search.ts";
import { fixedZone } from "../../src/match/time/time-zone.ts";
import { FileSource } from "../../src/source/file/file-source.ts";
import { filterDefinitions } from "../patterns/pattern-set.ts";

/** The engine's task. */
export interface FileToDecisionTask {
  readonly path: string;
  readonly bytes: number;
  /** Time of the last line, in ms. */
  readonly end: number;
  readonly patterns: number;
  readonly engine: "fast" | "naive";
  /** Whether the patterns of sshd join the lines of a process. */
  readonly sessions: boolean;
  readonly maxretry: number;
  readonly passes: number;
}

/** The result of one pass. */
export interface FileToDecisionPass {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly failures: number;
  readonly addressSum: number;
  readonly banned: number;
}

const task = JSON.parse(process.argv[2] ?? "") as FileToDecisionTask;

const definitions = filterDefinitions(task.patterns, task.sessions);
const filters = definitions.map((definition) => {
  const { filter, problems } = compileFilter(definition);
  if (filter === null) throw new Error(problems.map(({ fact }) => fact).join("; "));
  return filter;
});
const matcher = createMatcher(filters, { engine: task.engine });
const passes: FileToDecisionPass[] = [];
for (let i = 0; i < task.passes; i++) passes.push(await pass());
process.stdout.write(`${JSON.stringify({ passes, residentBytes: process.memoryUsage.rss() })}\n`);

async function pass(): Promise<FileToDecisionPass> {
  const seen = { failures: 0, addressSum: 0 };
  const book = new Book({ capacity: LIMITS.bans.value, changes: LIMITS.feedChanges.value });
  const flow = new Flow(wiringOf(watched(matcher, seen)), {
    book,
    evidence: new Evidence({ lines: LIMITS.evidenceLines.value, bans: LIMITS.evidenceBans.value }),
    names: new NameLookup(),
    // Lines with milliseconds may be later than the last full second.
    clock: new ManualClock(task.end + 1000),
  });
  const source = new FileSource("file", { type: "file", path: task.path, start: "beginning" });
  const abort = new AbortController();
  let got = 0;
  let wall = 0n;
  let cpu = process.cpuUsage();
  const before = process.hrtime.bigint();
  await source.run((batch: LineBatch) => {
    flow.sink(batch);
    got += batch.end - batch.start;
    if (got < task.bytes) return;
    wall = process.hrtime.bigint() - before;
    cpu = process.cpuUsage(cpu);
    abort.abort();
  }, abort.signal);
  return { wallMs: Number(wall) / 1e6, cpuMs: (cpu.user + cpu.system) / 1000, ...seen, banned: book.size };
}

/** The same matcher, and a sum over found and skipped failures: a few nanoseconds each, charged to us. */
function watched(inner: Matcher, seen: { failures: number; addressSum: number }): Matcher {
  const count = (host: Address | null): void => {
    seen.failures++;
    seen.addressSum = (seen.addressSum + (host?.w3 ?? 0)) >>> 0;
  };
  return {
    stats: inner.stats,
    scan(batch, context, onMatch) {
      const { banned } = context;
      const counted: BannedHosts = {
        isBanned: (filter, host) => banned?.isBanned(filter, host) ?? false,
        skipped: (filter, host) => {
          count(host);
          banned?.skipped(filter, host);
        },
      };
      inner.scan(batch, { ...context, banned: counted }, (failure: LineMatch) => {
        count(failure.address);
        onMatch(failure);
      });
    },
  };
}

/** One jail for all filters: the decision does not depend on the filter. */
function wiringOf(watching: Matcher): Wiring {
  const filter = definitions[0];
  if (filter === undefined) throw new Error("there are no patterns");
  const config: JailConfig = {
    name: "bench",
    sources: ["file"],
    filter,
    maxretry: task.maxretry,
    findtime: DAY,
    steps: [{ maxretry: task.maxretry, times: 1, target: "default", bantime: HOUR }],
    growth: null,
    memory: DAY,
    ipv4Prefix: 32,
    ipv6Prefix: 128,
    addresses: LIMITS.addresses.value,
    ignoreip: [],
    ignoreSelf: true,
    usedns: false,
    onGood: "forget",
    trustFor: 0,
    countWith: null,
  };
  const running = runningJail(config, new Jail(config, new IgnoreList([], null)));
  return { matcher: watching, jails: definitions.map(() => [running]), zone: fixedZone(0) };
}
