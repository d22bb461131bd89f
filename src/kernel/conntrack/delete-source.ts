import type { Address } from "../../core/address.ts";
import { EINVAL } from "../native/system-error.ts";
import { HOST_LITTLE_ENDIAN } from "../netlink/align.ts";
import { Encoder } from "../netlink/encoder.ts";
import { type Answer, answerIn } from "../netlink/errors.ts";
import { attributesOf, type Message, messagesIn, NLM_F_ACK, NLM_F_REQUEST } from "../netlink/message.ts";
import type { NetlinkSocket } from "../netlink/socket.ts";
import * as ct from "./constants.ts";

/** How many entries the table has; null when the kernel does not say. */
export function countEntries(socket: NetlinkSocket): number | null {
  let entries: number | null = null;
  const e = new Encoder(64);
  const at = e.beginMessage(ct.CT_GET_STATS, NLM_F_REQUEST, 1);
  e.familyHeader(ct.AF_UNSPEC, 0);
  e.endMessage(at);
  exchange(socket, e, (message) => {
    if (message.type !== ct.CT_GET_STATS) return;
    const reader = attributesOf(message);
    while (reader.next()) if (reader.type === ct.CTA_STATS_GLOBAL_ENTRIES) entries = reader.u32();
  });
  return entries;
}

/**
 * Deletes every entry that an IPv4 address opened. Kernels before 6.11 or so refuse it with EOPNOTSUPP or
 * EINVAL: without the filter the tuple would have to be complete.
 */
export function deleteSource(socket: NetlinkSocket, source: Address): Answer {
  const e = new Encoder(128);
  const at = e.beginMessage(ct.CT_DELETE, NLM_F_REQUEST | NLM_F_ACK, 1);
  e.familyHeader(ct.AF_INET, 0);
  e.nested(ct.CTA_TUPLE_ORIG, () => e.nested(ct.CTA_TUPLE_IP, () => e.words(ct.CTA_IP_V4_SRC, source.w3)));
  e.nested(ct.CTA_FILTER, () => e.raw(ct.CTA_FILTER_ORIG_FLAGS, HOST_IP_SRC));
  e.endMessage(at);
  let answer: Answer = { errno: EINVAL, sequence: 1, text: "", offset: -1 };
  exchange(socket, e, (message) => (answer = answerIn(message) ?? answer));
  return answer;
}

/** These flags, unlike other numbers of nfnetlink, are in the host's byte order. */
const HOST_IP_SRC = new Uint8Array(4);
new DataView(HOST_IP_SRC.buffer).setUint32(0, ct.FILTER_IP_SRC, HOST_LITTLE_ENDIAN);

/** The kernel answers before `send` returns. */
function exchange(socket: NetlinkSocket, e: Encoder, visit: (message: Message) => void): void {
  socket.send(e.bytes);
  for (let bytes = socket.receive(); bytes !== null; bytes = socket.receive()) {
    if (bytes !== "lost") for (const message of messagesIn(bytes)) visit(message);
  }
}
