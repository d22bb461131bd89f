import { readFileSync } from "node:fs";
import { cannot, StoplogError } from "../../core/errors.ts";
import { EBUSY, EPERM } from "../../kernel/native/system-error.ts";
import { Encoder } from "../../kernel/netlink/encoder.ts";
import { type Answer, answerIn, factOfAnswer } from "../../kernel/netlink/errors.ts";
import { messagesIn, NLM_F_ACK, NLM_F_REQUEST } from "../../kernel/netlink/message.ts";
import type { NetlinkSocket } from "../../kernel/netlink/socket.ts";

export interface LogGroupOptions {
  /** Group number, 0 to 65535, as in the rules that log to it. */
  readonly group: number;
  /** Bytes copied of each packet, from its IP header on. */
  readonly copyBytes: number;
  /** Maximum number of packets that the kernel collects before it wakes the process. */
  readonly threshold: number;
  /** Maximum time for which it collects them, in units of 10 ms. */
  readonly timeout: number;
  /** Size of the buffer in which it collects them, in bytes. */
  readonly bufferBytes: number;
}

/**
 * Makes the socket the listener of a netlink log group. Returns copies of datagrams that arrived before all options were set.
 * Throws a StoplogError when another program listens, or CAP_NET_ADMIN is missing.
 *
 * Binds no protocol family (NFULNL_CFG_CMD_PF_BIND): rules name the group, and that command would also send the logs of other
 * parts of the kernel here.
 */
export function bindLogGroup(socket: NetlinkSocket, options: LogGroupOptions): Uint8Array[] {
  const what = `listen on netlink log group ${options.group}`;
  const encoder = new Encoder();
  const commands = configure(encoder, options);
  socket.send(encoder.bytes);
  const early: Uint8Array[] = [];
  for (let answered = 0; answered < commands;) {
    const bytes = socket.receive();
    if (bytes === null) throw cannot(what, new Error("the kernel does not answer"));
    if (bytes === "lost") continue;
    let packets = true;
    for (const message of messagesIn(bytes)) {
      const answer = answerIn(message);
      if (answer === null || answer.sequence === 0) continue;
      packets = false;
      answered++;
      if (answer.errno !== 0) throw refusal(what, answer);
    }
    if (packets) early.push(Uint8Array.from(bytes));
  }
  return early;
}

/** Unbinds the group at once. If the socket were only closed, the kernel would take some 20 ms. */
export function unbindLogGroup(socket: NetlinkSocket, group: number): void {
  const encoder = new Encoder();
  message(encoder, group, 1, () => encoder.u8(NFULA_CFG_CMD, CMD_UNBIND));
  socket.send(encoder.bytes);
}

/** Writes the commands, with sequence numbers from 1; returns their number. */
function configure(encoder: Encoder, options: LogGroupOptions): number {
  const { group, copyBytes, threshold, timeout, bufferBytes } = options;
  const mode = new Uint8Array([
    copyBytes >>> 24,
    copyBytes >>> 16,
    copyBytes >>> 8,
    copyBytes,
    COPY_PACKET,
    0,
  ]);
  const commands = [
    () => encoder.u8(NFULA_CFG_CMD, CMD_BIND),
    () => encoder.raw(NFULA_CFG_MODE, mode),
    () => encoder.u32(NFULA_CFG_NLBUFSIZ, bufferBytes),
    () => encoder.u32(NFULA_CFG_TIMEOUT, timeout),
    () => encoder.u32(NFULA_CFG_QTHRESH, threshold),
    () => encoder.u16(NFULA_CFG_FLAGS, FLAG_SEQ),
  ];
  commands.forEach((write, i) => message(encoder, group, i + 1, write));
  return commands.length;
}

function message(encoder: Encoder, group: number, sequence: number, write: () => void): void {
  const at = encoder.beginMessage(NFULNL_MSG_CONFIG, NLM_F_REQUEST | NLM_F_ACK, sequence);
  encoder.familyHeader(0, group);
  write();
  encoder.endMessage(at);
}

/** The kernel returns the same error for a missing capability and for a group that another program has bound. */
function refusal(what: string, answer: Answer): StoplogError {
  if (answer.errno !== EPERM && answer.errno !== EBUSY) {
    return new StoplogError(`Cannot ${what}: ${factOfAnswer(answer)}`);
  }
  const fact = mayAdministrate() ? "another program listens on it" : "it needs CAP_NET_ADMIN";
  return new StoplogError(`Cannot ${what}: ${fact}`);
}

/** CAP_NET_ADMIN is bit 12 of the effective set (linux/capability.h). */
function mayAdministrate(): boolean {
  try {
    const [, bits = "0"] = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1")) ?? [];
    return (BigInt(`0x${bits}`) & (1n << 12n)) !== 0n;
  } catch {
    return false;
  }
}

// linux/netfilter/nfnetlink_log.h
const NFULNL_MSG_CONFIG = (4 << 8) | 1;
const NFULA_CFG_CMD = 1;
const NFULA_CFG_MODE = 2;
const NFULA_CFG_NLBUFSIZ = 3;
const NFULA_CFG_TIMEOUT = 4;
const NFULA_CFG_QTHRESH = 5;
const NFULA_CFG_FLAGS = 6;
const CMD_BIND = 1;
const CMD_UNBIND = 2;
const COPY_PACKET = 2;
const FLAG_SEQ = 1;
