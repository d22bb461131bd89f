import { addressFromBytes, addressToBytes, isV4 } from "../../core/address.ts";
import { type Prefix, prefixOf } from "../../core/prefix.ts";
import { HOST_LITTLE_ENDIAN } from "../../kernel/netlink/align.ts";
import { AttributeReader } from "../../kernel/netlink/attribute.ts";
import type { Encoder } from "../../kernel/netlink/encoder.ts";
import { type Message, NLM_F_CREATE, NLM_F_DUMP, NLM_F_REQUEST } from "../../kernel/netlink/message.ts";
import type { RouteTarget } from "./kind.ts";

/** A route to nowhere of ours. */
export interface Hole {
  readonly prefix: Prefix;
  readonly type: RouteTarget["type"];
  /** Its metric, by which targets are told apart. */
  readonly priority: number;
}

/** RTM_NEWROUTE or RTM_DELROUTE, answered only when the kernel does not like it (linux/rtnetlink.h, struct rtmsg). */
export function writeHole(encoder: Encoder, sequence: number, kind: "ban" | "unban", hole: Hole): void {
  const { prefix, type, priority } = hole;
  const v4 = isV4(prefix.address);
  const flags = kind === "ban" ? NLM_F_REQUEST | NLM_F_CREATE : NLM_F_REQUEST;
  const at = encoder.beginMessage(kind === "ban" ? RTM_NEWROUTE : RTM_DELROUTE, flags, sequence);
  encoder.plain(routeHeader(v4 ? AF_INET : AF_INET6, prefix.length, TYPES[type]));
  encoder.raw(RTA_DST, addressToBytes(prefix.address));
  encoder.raw(RTA_PRIORITY, hostU32(priority));
  encoder.endMessage(at);
}

/** Asks for all routes of a family. */
export function writeDump(encoder: Encoder, sequence: number, family: "v4" | "v6"): void {
  const at = encoder.beginMessage(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_DUMP, sequence);
  encoder.plain(routeHeader(family === "v4" ? AF_INET : AF_INET6, 0, 0));
  encoder.endMessage(at);
}

/** Reads a route of ours out of a dump or a notice; null for any other message or route. */
export function readHole(message: Message): Hole | null {
  if (
    (message.type !== RTM_NEWROUTE && message.type !== RTM_DELROUTE) ||
    message.end - message.start < ROUTE_HEADER
  )
    return null;
  const { bytes, start, end } = message;
  const family = bytes[start];
  const length = bytes[start + 1] as number;
  const type = bytes[start + 7];
  const name = (["blackhole", "unreachable", "prohibit"] as const).find((word) => TYPES[word] === type);
  if (bytes[start + 5] !== OUR_PROTOCOL || name === undefined) return null;
  const size = family === AF_INET ? 4 : 16;
  let address = addressFromBytes(new Uint8Array(16), 0, size);
  let priority = 0;
  const reader = new AttributeReader(bytes, start + ROUTE_HEADER, end);
  while (reader.next()) {
    if (reader.type === RTA_DST && reader.length === size)
      address = addressFromBytes(bytes, reader.start, size);
    else if (reader.type === RTA_PRIORITY) priority = reader.hostU32();
  }
  return { prefix: prefixOf(address, length), type: name, priority };
}

const AF_INET = 2;
const AF_INET6 = 10;

// linux/rtnetlink.h
const RTM_NEWROUTE = 24;
export const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTA_DST = 1;
const RTA_PRIORITY = 6;
const RT_TABLE_MAIN = 254;
const ROUTE_HEADER = 12;
/** RTN_BLACKHOLE and the two after it. */
const TYPES = { blackhole: 6, unreachable: 7, prohibit: 8 } as const;

/** Who made a route, as `ip route` shows it: a number that /etc/iproute2/rt_protos does not give to anybody. */
const OUR_PROTOCOL = 83;

/** family, destination's length, source's, tos, table, protocol, scope, type, flags. */
function routeHeader(family: number, length: number, type: number): Uint8Array {
  return new Uint8Array([family, length, 0, 0, RT_TABLE_MAIN, OUR_PROTOCOL, 0, type, 0, 0, 0, 0]);
}

function hostU32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, HOST_LITTLE_ENDIAN);
  return bytes;
}
