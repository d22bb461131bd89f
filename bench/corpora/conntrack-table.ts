import { setImmediate as nextTurn } from "node:timers/promises";
import { type Address, isV4 } from "../../src/core/address.ts";
import { Encoder } from "../../src/kernel/netlink/encoder.ts";
import { answerIn, factOfAnswer } from "../../src/kernel/netlink/errors.ts";
import { messagesIn, NLM_F_CREATE, NLM_F_REQUEST } from "../../src/kernel/netlink/message.ts";
import { NETLINK_NETFILTER, openNetlink } from "../../src/kernel/netlink/socket.ts";

/** A TCP connection as netfilter tracks it; the answers may come from another address, as behind NAT. */
export interface TrackedConnection {
  readonly source: Address;
  readonly destination: Address;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly answersFrom?: Address;
  readonly answersTo?: Address;
  readonly zone?: number;
}

/** Adds established connections to the conntrack table of this thread's network namespace. */
export async function track(connections: Iterable<TrackedConnection>): Promise<void> {
  const socket = openNetlink({ protocol: NETLINK_NETFILTER, sendBuffer: 1 << 20, receiveBuffer: 1 << 20 });
  const e = new Encoder(256 * 1024);
  const send = (): void => {
    socket.send(e.bytes);
    e.reset();
    for (let bytes = socket.receive(); bytes !== null; bytes = socket.receive()) {
      if (bytes === "lost") continue;
      for (const message of messagesIn(bytes)) {
        const answer = answerIn(message);
        if (answer !== null && answer.errno !== 0) throw new Error(`Cannot track: ${factOfAnswer(answer)}`);
      }
    }
  };
  try {
    let sequence = 0;
    for (const connection of connections) {
      writeNew(e, ++sequence, connection);
      if (sequence % AT_ONCE !== 0) continue;
      send();
      await nextTurn();
    }
    if (e.length > 0) send();
  } finally {
    socket.closeAside();
  }
}

const AT_ONCE = 500;

/** IPCTNL_MSG_CT_NEW of linux/netfilter/nfnetlink_conntrack.h. */
const CT_NEW = 0x100;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_PROTOINFO = 4;
const CTA_TIMEOUT = 7;
const CTA_ZONE = 18;
const ESTABLISHED = 3;
const HOUR = 3600;

function writeNew(e: Encoder, sequence: number, connection: TrackedConnection): void {
  const { source, destination, sourcePort, destinationPort, zone = 0 } = connection;
  const at = e.beginMessage(CT_NEW, NLM_F_REQUEST | NLM_F_CREATE, sequence);
  e.familyHeader(isV4(source) ? 2 : 10, 0);
  const answers = [connection.answersFrom ?? destination, connection.answersTo ?? source] as const;
  writeTuple(e, CTA_TUPLE_ORIG, [source, destination], [sourcePort, destinationPort]);
  writeTuple(e, CTA_TUPLE_REPLY, answers, [destinationPort, sourcePort]);
  if (zone !== 0) e.u16(CTA_ZONE, zone);
  e.u32(CTA_TIMEOUT, HOUR);
  e.nested(CTA_PROTOINFO, () => e.nested(1, () => e.u8(1, ESTABLISHED)));
  e.endMessage(at);
}

function writeTuple(
  e: Encoder,
  type: number,
  [from, to]: readonly [from: Address, to: Address],
  [fromPort, toPort]: readonly [fromPort: number, toPort: number],
): void {
  const tuple = e.begin(type);
  const ip = e.begin(1);
  if (isV4(from)) {
    e.words(1, from.w3);
    e.words(2, to.w3);
  } else {
    e.words(3, from.w0, from.w1, from.w2, from.w3);
    e.words(4, to.w0, to.w1, to.w2, to.w3);
  }
  e.end(ip);
  const ports = e.begin(2);
  e.u8(1, 6);
  e.u16(2, fromPort);
  e.u16(3, toPort);
  e.end(ports);
  e.end(tuple);
}
