// Sends packets from many spoofed sources over one interface, as fast as it can or at a steady rate. A process of its own, so
// that sending and reading do not share a processor's time.
//
//   node scripts/run-ts.mjs test/support/packet-flood.ts '{"ends": …, "first": "10.0.0.0", "sources": 100000, …}'
//
// At the end one line of JSON: how many, and in how many seconds.

import { parseAddress } from "../../src/core/address.ts";
import { checksum, ethernetFrame } from "../../src/source/nflog/ip-frame.fixture.ts";
import { FrameBatch } from "./frame-batch.ts";
import type { LinkEnds } from "./raw-link.ts";

/** What the sender is told. */
export interface FloodTask {
  readonly ends: LinkEnds;
  /** The first source; the others follow it one by one. */
  readonly first: string;
  readonly sources: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** Each source takes its turn until so many are sent. */
  readonly packets: number;
  /** A second; null for as many as can be. */
  readonly rate: number | null;
}

/** What it has done. */
export interface Flooded {
  readonly packets: number;
  /** When the first was sent, in ms since 1970. */
  readonly startedAt: number;
  readonly seconds: number;
  /** The sender's own, kernel included. */
  readonly cpuSeconds: number;
}

const BATCH = 256;
const ETHERNET = 14;

const task = JSON.parse(process.argv[2] ?? "") as FloodTask;
const frame = ethernetFrame(
  { source: task.first, destination: task.destination, destinationPort: task.destinationPort },
  task.ends,
);
const isV4 = !task.first.includes(":");
const first = parseAddress(task.first);
if (first === null) throw new Error("the first source is no address");
/** The last four bytes of a source, where the header's checksum stands, and that of TCP. */
const SOURCE = ETHERNET + (isV4 ? 12 : 20);
const HEADER_SUM = ETHERNET + 10;
const TCP_SUM = ETHERNET + (isV4 ? 20 : 40) + 16;
/** The sum of TCP without that part of the source, to which it is added. */
const base = tcpSumWithoutSource();

const batch = new FrameBatch(task.ends.index, BATCH, frame);
const cpu = process.cpuUsage();
const startedAt = Date.now();
const started = performance.now();
let sent = 0;
while (sent < task.packets) {
  const due = task.rate === null ? task.packets : ((performance.now() - started) / 1000) * task.rate;
  const count = Math.min(BATCH, task.packets - sent, Math.ceil(due - sent));
  if (count <= 0) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0.2);
    continue;
  }
  for (let i = 0; i < count; i++) place(batch.bytes, i * frame.length, (sent + i) % task.sources);
  batch.send(count);
  sent += count;
}
const seconds = (performance.now() - started) / 1000;
const { user, system } = process.cpuUsage(cpu);
batch.close();
process.stdout.write(
  `${JSON.stringify({ packets: sent, startedAt, seconds, cpuSeconds: (user + system) / 1e6 } satisfies Flooded)}\n`,
);

function place(bytes: Buffer, at: number, n: number): void {
  const word = ((first as { w3: number }).w3 + n) >>> 0;
  bytes.writeUInt32BE(word, at + SOURCE);
  if (isV4) {
    bytes.writeUInt16BE(0, at + HEADER_SUM);
    bytes.writeUInt16BE(checksum(bytes, at + ETHERNET, at + ETHERNET + 20), at + HEADER_SUM);
  }
  let sum = base + (word >>> 16) + (word & 0xffff);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.writeUInt16BE(~sum & 0xffff, at + TCP_SUM);
}

function tcpSumWithoutSource(): number {
  const whole = ~frame.readUInt16BE(TCP_SUM) & 0xffff;
  const word = frame.readUInt32BE(SOURCE);
  let sum = whole + (~(word >>> 16) & 0xffff) + (~(word & 0xffff) & 0xffff);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return sum;
}
