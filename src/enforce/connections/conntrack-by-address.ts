import { setImmediate as nextTurn } from "node:timers/promises";
import { type Address, isV4 } from "../../core/address.ts";
import { isHost } from "../../core/prefix.ts";
import { EINVAL, EOPNOTSUPP } from "../../kernel/native/system-error.ts";
import { HOST_LITTLE_ENDIAN } from "../../kernel/netlink/align.ts";
import { Encoder } from "../../kernel/netlink/encoder.ts";
import { type Answer, answerIn } from "../../kernel/netlink/errors.ts";
import {
  attributesOf,
  type Message,
  messagesIn,
  NLM_F_ACK,
  NLM_F_REQUEST,
} from "../../kernel/netlink/message.ts";
import type { NetlinkSocket } from "../../kernel/netlink/socket.ts";
import type { Banned } from "./banned.ts";
import * as ct from "./ctnetlink.ts";
import type { Cut } from "./cuttable.ts";

/**
 * The banned addresses, when it costs less to have the kernel look for each of them than to have it list all entries; else
 * null. Only for IPv4: of IPv6 Linux 6.18 deletes all entries but those that are asked for (ctnetlink_filter_match_tuple has
 * the comparison upside down). Measured with 262,144 hash buckets, in ms:
 *
 *      entries                        100    1,000   10,000   100,000
 *      look for one address, a call   0.1      0.3      2.4        25      passes over empty buckets, is not interrupted
 *      list all, in steps              10       20       33       226      locks each bucket, of which a step sees many
 */
export function addressesToAskFor(banned: Banned, entries: number): readonly Address[] | null {
  if (entries > LONGEST_CALL) return null;
  const calls = DIRECTIONS.length * banned.size;
  if (calls * (entries + CALL) > LISTED * entries + LIST) return null;
  const prefixes = [...banned.prefixes()];
  return prefixes.every((prefix) => isHost(prefix) && isV4(prefix.address))
    ? prefixes.map((prefix) => prefix.address)
    : null;
}

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
 * Has the kernel delete what comes from each IPv4 address, in both directions, with a turn of the event loop between the
 * calls. How many those were is what the table has shrunk by. Null when this kernel cannot do it (before 6.11 or so), and
 * nothing was done then.
 */
export async function cutByAddress(
  addresses: readonly Address[],
  socket: NetlinkSocket,
  stopped: () => boolean,
): Promise<Cut | null> {
  let cut = 0;
  for (const address of addresses) {
    for (const direction of DIRECTIONS) {
      if (stopped()) return { cut, refused: 0, trouble: null };
      const before = countEntries(socket) ?? 0;
      const answer = deleteFrom(socket, address, direction);
      if (answer.errno === EOPNOTSUPP || answer.errno === EINVAL) return null;
      if (answer.errno !== 0) return { cut, refused: 0, trouble: { doing: "cut", answer } };
      cut += Math.max(0, before - (countEntries(socket) ?? 0));
      await nextTurn();
    }
  }
  return { cut, refused: 0, trouble: null };
}

/** Entries of a table that is gone through in one call: 1 ms, and 4 more when all of them go. */
const LONGEST_CALL = 5000;

// Costs, in units of passing over one entry (0.23 µs): a call, to list one entry, and to list an empty table.
const CALL = 430;
const LISTED = 10;
const LIST = 43_000;

/** Two calls for an address: all that a filter names must agree. */
const DIRECTIONS = [
  { tuple: ct.CTA_TUPLE_ORIG, flags: ct.CTA_FILTER_ORIG_FLAGS },
  { tuple: ct.CTA_TUPLE_REPLY, flags: ct.CTA_FILTER_REPLY_FLAGS },
] as const;

/** Kernels that know no such filter refuse it, since without one the tuple would have to be whole. */
function deleteFrom(
  socket: NetlinkSocket,
  source: Address,
  { tuple, flags }: (typeof DIRECTIONS)[number],
): Answer {
  const e = new Encoder(128);
  const at = e.beginMessage(ct.CT_DELETE, NLM_F_REQUEST | NLM_F_ACK, 1);
  e.familyHeader(ct.AF_INET, 0);
  e.nested(tuple, () => e.nested(ct.CTA_TUPLE_IP, () => e.words(ct.CTA_IP_V4_SRC, source.w3)));
  e.nested(ct.CTA_FILTER, () => e.raw(flags, HOST_IP_SRC));
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
