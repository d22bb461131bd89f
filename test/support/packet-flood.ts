// Sends packets from many spoofed sources over one interface, as fast as it can or at a steady rate. A process of its own, so
// that sending and reading do not share a processor.
//
//   node scripts/run-ts.mjs test/support/packet-flood.ts '{"ends": …, "first": "10.0.0.0", "sources": 100000, …}'
//
// Prints one line of JSON at the end: how many packets in how many seconds.

import { parseAddress } from "../../src/core/address.ts";
import { checksum, ethernetFrame } from "./ip-frame.ts";
import { FrameBatch } from "./frame-batch.ts";
import type { LinkEnds } from "./raw-link.ts";

/** The sender's task. */
export interface FloodTask {
  readonly ends: LinkEnds;
  /** The first source address; the others are the following ones. */
  readonly first: string;
  readonly sources: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** Packets in all; sources take turns. */
  readonly packets: number;
  /** Packets per second; null for as many as possible. */
  readonly rate: number | null;
}

/** The sender's result. */
export interface Flooded {
  readonly packets: number;
  /** When the first packet was sent, in ms since 1970. */
  readonly startedAt: number;
  readonly seconds: number;
  /** Of the sender, kernel time included. */
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
if (first === null) throw new Error("the first source is not an address");
/** Offsets of the last four bytes of the source, of the header's checksum, and of TCP's. */
const SOURCE = ETHERNET + (isV4 ? 12 : 20);
const HEADER_SUM = ETHERNET + 10;
const TCP_SUM = ETHERNET + (isV4 ? 20 : 40) + 16;
/** TCP's checksum without that part of the source. */
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
