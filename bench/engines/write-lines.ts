// Writes failures into a log at a steady rate, like a service under attack, and records when it wrote the decisive line of an
// address. A process of its own, so that writing and measuring do not share a processor with
// the daemon's reader.
//
//   node write-lines.mjs '{"path": …, "service": …, "linesPerSecond": …, "seconds": …, "failuresEach": …, "maxretry": …, "probeEveryMs": …}'
//
// Prints one line of JSON at the end: what was written, and [address, nanoseconds] of the probes, or of all addresses.

import { openSync, writeSync } from "node:fs";
import { attacker } from "../corpora/attackers.ts";
import { Random } from "../corpora/random.ts";
import { SERVICES, type ServiceName } from "../corpora/services.ts";
import { type Stamp, stampOf } from "../corpora/stamp.ts";

/** The writer's task. */
export interface WriteTask {
  readonly path: string;
  readonly service: ServiceName;
  readonly linesPerSecond: number;
  readonly seconds: number;
  /** Failures of each address; a hundred addresses take turns. */
  readonly failuresEach: number;
  readonly maxretry: number;
  /** Interval between probes: a new address with all its failures in one write; null for none. */
  readonly probeEveryMs: number | null;
}

/** The writer's result. */
export interface Written {
  readonly lines: number;
  readonly seconds: number;
  readonly addresses: number;
  /** When the decisive line of each address was written. */
  readonly decisive: readonly (readonly [address: string, nanoseconds: string])[];
}

const task = JSON.parse(process.argv[2] ?? "") as WriteTask;
const service = SERVICES[task.service];
const random = new Random(5);
const fd = openSync(task.path, "a");
const decisive: [string, string][] = [];
/** Far from the addresses of the load. */
const FIRST_PROBE = 5_000_000;
const PRESENT = 100;
const TICK_MS = 4;

let stamp: Stamp = stampOf(0);
let lines = 0;
let addresses = 0;
let probes = 0;
const started = performance.now();
for (;;) {
  const elapsed = performance.now() - started;
  if (elapsed >= task.seconds * 1000) break;
  const second = Math.floor(Date.now() / 1000);
  if (second !== stamp.second) stamp = stampOf(second);
  if (task.probeEveryMs !== null && elapsed >= (probes + 1) * task.probeEveryMs) probe();
  writeUntil(Math.floor((elapsed / 1000) * task.linesPerSecond));
  await new Promise((resolve) => setTimeout(resolve, TICK_MS));
}
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`${JSON.stringify({ lines, seconds, addresses, decisive } satisfies Written)}\n`);

function writeUntil(due: number): void {
  if (due <= lines) return;
  const texts: string[] = [];
  const enough: string[] = [];
  for (; lines < due; lines++) {
    const { who, failure } = turn(lines);
    if (failure === 1) addresses++;
    const { text } = attacker(who);
    if (task.probeEveryMs === null && failure === task.maxretry) enough.push(text);
    texts.push(service.failure(stamp, text, random));
  }
  const at = process.hrtime.bigint().toString();
  writeSync(fd, `${texts.join("\n")}\n`);
  for (const address of enough) decisive.push([address, at]);
}

/** The address whose turn it is, and the number of its failure, from 1. */
function turn(n: number): { who: number; failure: number } {
  const inBlock = n % (PRESENT * task.failuresEach);
  const block = Math.floor(n / (PRESENT * task.failuresEach));
  return { who: block * PRESENT + (inBlock % PRESENT), failure: Math.floor(inBlock / PRESENT) + 1 };
}

function probe(): void {
  const { text } = attacker(FIRST_PROBE + probes++);
  const failures = Array.from({ length: task.maxretry }, () => `${service.failure(stamp, text, random)}\n`);
  const at = process.hrtime.bigint().toString();
  writeSync(fd, failures.join(""));
  decisive.push([text, at]);
}
