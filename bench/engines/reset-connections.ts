// Fills a table with connections, cuts them, and measures how long that blocks the event loop:
//
//   ip netns exec NAME node reset-connections.mjs '{"addresses": 1000, "banned": 1000, "entries": 100000, "others": 10000, "engine": "stoplog"}'
//
// `each` sends a request for each address and direction, for which the kernel scans the whole table; `conntrack` starts
// that program for each. Prints one line of JSON.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import { address, type Address, formatAddress, V4_MARK } from "../../src/core/address.ts";
import { hostPrefix } from "../../src/core/prefix.ts";
import { ConnectionCutter } from "../../src/enforce/connections/cutter.ts";
import { HOST_LITTLE_ENDIAN } from "../../src/kernel/netlink/align.ts";
import { Encoder } from "../../src/kernel/netlink/encoder.ts";
import { answerIn, factOfAnswer } from "../../src/kernel/netlink/errors.ts";
import { messagesIn, NLM_F_ACK, NLM_F_REQUEST } from "../../src/kernel/netlink/message.ts";
import { NETLINK_NETFILTER, openNetlink } from "../../src/kernel/netlink/socket.ts";
import { track, type TrackedConnection } from "../corpora/conntrack-table.ts";

/** The engine's task. */
export interface ResetTask {
  readonly engine: "stoplog" | "each" | "conntrack";
  /** Addresses and their entries in all; `banned` of them are banned at once. */
  readonly addresses: number;
  readonly banned: number;
  readonly entries: number;
  /** Entries of other addresses. */
  readonly others: number;
}

export interface ResetResult {
  /** Entries before and after. */
  readonly before: number;
  readonly after: number;
  readonly tookMs: number;
  readonly cpuMs: number;
  /** Turns of the event loop meanwhile: by the clock, and by this process's CPU time. */
  readonly longestTurnMs: number;
  readonly longestTurnCpuMs: number;
  /** The longest turn without work: the machine's other work. */
  readonly idleTurnMs: number;
}

/** In 10.0.0.0/8, which is unused in the bench's own namespace. */
const SERVER = 0x0a00_0001;
const ATTACKERS = 0x0a01_0000;
const OTHERS = 0x0a02_0000;

const task = JSON.parse(process.argv[2] ?? "") as ResetTask;
const attackers = Array.from({ length: task.addresses }, (_, i) => address(0, 0, V4_MARK, ATTACKERS + i));
const banned = attackers.slice(0, task.banned);
const engines = { stoplog: cut, each: cutEach, conntrack: cutByProgram };

await track(connections());
const before = tracked();
const idle = await watched(() => sleep(500));
const done = await watched(engines[task.engine]);
const result: ResetResult = {
  before,
  after: tracked(),
  tookMs: done.tookMs,
  cpuMs: done.cpuMs,
  longestTurnMs: done.turnMs,
  longestTurnCpuMs: done.turnCpuMs,
  idleTurnMs: idle.turnMs,
};
process.stdout.write(`${JSON.stringify(result)}\n`);

async function cut(): Promise<void> {
  const cutter = new ConnectionCutter({
    warn: (sentence) => process.stderr.write(`${sentence}\n`),
    now: Date.now,
  });
  for (const each of banned) cutter.cut(hostPrefix(each));
  await cutter.finished();
  cutter.close();
}

/** linux/netfilter/nfnetlink_conntrack.h: CTA_FILTER with the flag for the source address, first for packets and then for answers. */
async function cutEach(): Promise<void> {
  const socket = openNetlink({ protocol: NETLINK_NETFILTER });
  const e = new Encoder();
  const flags = new Uint8Array(4);
  new DataView(flags.buffer).setUint32(0, 1, HOST_LITTLE_ENDIAN);
  for (const each of banned) {
    for (const direction of [1, 2]) {
      e.reset();
      const at = e.beginMessage(0x102, NLM_F_REQUEST | NLM_F_ACK, 1);
      e.familyHeader(2, 0);
      e.nested(direction, () => e.nested(1, () => e.words(1, each.w3)));
      e.nested(25, () => e.raw(direction, flags));
      e.endMessage(at);
      socket.send(e.bytes);
      for (let bytes = socket.receive(); bytes !== null; bytes = socket.receive()) {
        if (bytes === "lost") continue;
        for (const message of messagesIn(bytes)) {
          const answer = answerIn(message);
          if (answer !== null && answer.errno !== 0) throw new Error(factOfAnswer(answer));
        }
      }
      await nextTurn();
    }
  }
  socket.close();
}

async function cutByProgram(): Promise<void> {
  for (const each of banned) {
    const child = spawn("conntrack", ["-D", "-s", formatAddress(each)], { stdio: "ignore" });
    await once(child, "exit");
  }
}

/** Attackers' entries in turn, and others' spread among them. */
function* connections(): Generator<TrackedConnection> {
  const destination: Address = address(0, 0, V4_MARK, SERVER);
  const every = task.others === 0 ? Infinity : Math.max(1, Math.floor(task.entries / task.others));
  let others = 0;
  for (let i = 0; i < task.entries; i++) {
    const sourcePort = 1024 + Math.floor(i / task.addresses);
    yield { source: attackers[i % task.addresses]!, destination, sourcePort, destinationPort: 443 };
    if (i % every !== 0 || others >= task.others) continue;
    const source = address(0, 0, V4_MARK, OTHERS + others++);
    yield { source, destination, sourcePort, destinationPort: 443 };
  }
}

interface Watched {
  readonly tookMs: number;
  readonly cpuMs: number;
  readonly turnMs: number;
  readonly turnCpuMs: number;
}

/** Runs work and reads the clock in every turn of the event loop. */
async function watched(work: () => Promise<unknown>): Promise<Watched> {
  let [turnMs, turnCpuMs, over] = [0, 0, false];
  let [clock, cpu] = [performance.now(), cpuMs()];
  const [startClock, startCpu] = [clock, cpu];
  const look = (): void => {
    const [clockNow, cpuNow] = [performance.now(), cpuMs()];
    turnMs = Math.max(turnMs, clockNow - clock);
    turnCpuMs = Math.max(turnCpuMs, cpuNow - cpu);
    [clock, cpu] = [clockNow, cpuNow];
    if (!over) setImmediate(look);
  };
  setImmediate(look);
  await work();
  const took = { tookMs: performance.now() - startClock, cpuMs: cpuMs() - startCpu };
  over = true;
  await nextTurn();
  return { ...took, turnMs, turnCpuMs };
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Conntrack entries in this network namespace. */
function tracked(): number {
  return Number(readFileSync("/proc/sys/net/netfilter/nf_conntrack_count", "utf8"));
}
