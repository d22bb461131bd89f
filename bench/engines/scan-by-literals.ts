// Measures the matcher alone in megabytes per second of CPU time, with literals chosen in one of three ways. Verifies the failures of each pass.
//
//   node scan-by-literals.mjs '{"way": "fixed" | "once" | "learned", "patterns": 100 | "library", "lines": 120000}'

import type { LineBatch } from "../../src/core/batch.ts";
import { filterNames, loadFilterFile } from "../../src/config/find-filter.ts";
import { FastMatcher } from "../../src/match/engine.ts";
import { type CompiledFilter, compileFilter, type FilterDefinition } from "../../src/match/filter/filter.ts";
import { type GramFrequency, typicalFrequency } from "../../src/match/prefilter/gram-frequency.ts";
import { type Study, TrafficStudy } from "../../src/match/prefilter/traffic-study.ts";
import { fixedZone } from "../../src/match/time/time-zone.ts";
import { generate } from "../corpora/corpus.ts";
import type { ServiceName } from "../corpora/services.ts";
import { filterDefinitions } from "../patterns/pattern-set.ts";

/** The engine's task. */
export interface LiteralsTask {
  readonly way: "fixed" | "once" | "learned";
  readonly patterns: number | "library";
  /** Lines of each corpus. */
  readonly lines: number;
}

const { way, patterns, lines } = JSON.parse(process.argv[2] ?? "") as LiteralsTask;

const END = Date.UTC(2026, 10, 20, 15);
const context = { now: END, zone: fixedZone(0) };
/** Bytes that FileSource delivers at once. */
const BATCH_BYTES = 128 * 1024;
/** Bytes scanned before the measurement: the matcher learns and V8 compiles. */
const WARM_UP_BYTES = 64e6;
const TIMED_PASSES = 5;

const filters = definitions().map(compiled);
const json = batchesOf(jsonLines());
const sshd = corpus(["sshd"]);
const figures = {
  sshd: speed(newMatcher(), sshd),
  nginx: speed(newMatcher(), corpus(["nginx"])),
  mail: speed(newMatcher(), corpus(["postfix", "dovecot"])),
  named: speed(newMatcher(), corpus(["named"])),
  mixed: speed(newMatcher(), corpus(["sshd", "nginx", "kernel", "postfix", "dovecot", "named"])),
  json: speed(newMatcher(), json),
  changed: speed(after(sshd), json),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);

function definitions(): readonly FilterDefinition[] {
  if (patterns !== "library") return filterDefinitions(patterns);
  return filterNames().map((name) => loadFilterFile(name).definition!);
}

function compiled(definition: FilterDefinition): CompiledFilter {
  const { filter, problems } = compileFilter(definition);
  if (filter === null) throw new Error(problems.map(({ fact }) => fact).join("; "));
  return filter;
}

function newMatcher(): FastMatcher {
  return new FastMatcher(filters, undefined, undefined, studyOf());
}

function studyOf(): Study {
  const study = new TrafficStudy();
  if (way === "learned") return study;
  let isOver = false;
  const once = (frequency: GramFrequency | null): GramFrequency | null => {
    isOver ||= frequency !== null;
    return frequency;
  };
  return {
    // 'fixed' chooses at the same time as the others, so that it gets the compiled scan too.
    watch: (...batch) => {
      if (isOver) return null;
      const frequency = once(study.watch(...batch));
      return frequency !== null && way === "fixed" ? typicalFrequency() : frequency;
    },
  };
}

function after(before: Corpus): FastMatcher {
  const matcher = newMatcher();
  for (let i = 0; i < 8; i++) pass(matcher, before);
  return matcher;
}

/** The median of the timed passes. */
function speed(matcher: FastMatcher, scanned: Corpus): number {
  for (let bytes = 0; bytes < WARM_UP_BYTES; bytes += scanned.bytes) pass(matcher, scanned);
  const times = Array.from({ length: TIMED_PASSES }, () => pass(matcher, scanned)).sort((a, b) => a - b);
  return scanned.bytes / 1e3 / times[TIMED_PASSES >> 1]!;
}

function pass(matcher: FastMatcher, { batches, failures }: Corpus): number {
  let found = 0;
  // CPU time, so that a busy machine matters less.
  const before = process.cpuUsage();
  for (const batch of batches) matcher.scan(batch, context, () => found++);
  const { user, system } = process.cpuUsage(before);
  if (patterns !== "library" && found !== failures)
    throw new Error(`${found} failures instead of ${failures}`);
  return (user + system) / 1000;
}

interface Corpus {
  readonly batches: readonly LineBatch[];
  readonly bytes: number;
  readonly failures: number;
}

/** Lines of the services, in turn. */
function corpus(services: readonly ServiceName[]): Corpus {
  const count = Math.round(lines / services.length);
  const columns = services.map((service, seed) => {
    const spec = {
      service,
      lines: count,
      failures: 0.01,
      attackers: 20_000,
      visits: "skewed",
      rate: 5000,
      seed,
    } as const;
    return [...generate(spec, END)].join("").split("\n");
  });
  const mixed = Array.from({ length: count }, (_, i) => columns.map((column) => column[i]!)).flat();
  return batchesOf(mixed, Math.round(count * 0.01) * services.length);
}

/** An application's log in JSON; typical-traffic.ts has no such line. */
function jsonLines(): string[] {
  return Array.from({ length: lines }, (_, i) => {
    const address = `192.0.2.${i % 250}`;
    return JSON.stringify({
      level: "info",
      ts: 1795185888 + (i % 1000) / 1000,
      logger: "http.log.access",
      msg: "handled request",
      request: {
        remote_ip: address,
        remote_port: String(40_000 + (i % 9000)),
        client_ip: address,
        proto: "HTTP/2.0",
        method: "GET",
        host: "www.example.org",
        uri: `/shop/${i * 7919}`,
      },
      user_id: "",
      duration: (i % 977) / 1e6,
      size: i % 90_000,
      status: i % 100 === 0 ? 401 : 200,
    });
  });
}

/** Chunks of whole lines. */
function batchesOf(all: readonly string[], failures = 0): Corpus {
  const bytes = Buffer.from(`${all.join("\n")}\n`);
  const batches: LineBatch[] = [];
  for (let start = 0; start < bytes.length;) {
    const isLast = bytes.length - start <= BATCH_BYTES;
    const end = isLast ? bytes.length : bytes.lastIndexOf(10, start + BATCH_BYTES) + 1;
    batches.push({ bytes, start, end, backlog: false });
    start = end;
  }
  return { batches, bytes: bytes.length, failures };
}
