import { V4_MARK } from "../../core/address.ts";
import { type Packet, PROTOCOLS, UNKNOWN } from "../../core/packet.ts";

/**
 * Parses the headers of an IP packet, with or without VLAN tags, into `packet`: addresses, protocol, ports, flags.
 * `etherType` comes from the link layer; 0 when it is unknown. The kernel copies only the first bytes of a packet, so any
 * header may be incomplete.
 *
 *      [802.1Q tag …] │ IPv4 header, options │ TCP …
 *                     │ IPv6 header │ extension headers … │ UDP …
 *
 * False when it is not an IP packet, or when the source is not a host address: 0.x, `::`, multicast, and `::ffff:a.b.c.d` in an
 * IPv6 header, which would be mistaken for an IPv4 address.
 */
export function readIpPacket(
  bytes: Uint8Array,
  start: number,
  end: number,
  etherType: number,
  packet: Packet,
): boolean {
  let at = start;
  let type = etherType;
  for (let tags = 0; type === VLAN || type === SERVICE_VLAN; tags++) {
    if (tags === MOST_TAGS || at + 4 > end) return false;
    type = u16(bytes, at + 2);
    at += 4;
  }
  packet.protocol = packet.sourcePort = packet.destinationPort = UNKNOWN;
  packet.flags = packet.icmpType = UNKNOWN;
  packet.isFragment = false;
  const version = at < end ? bytes[at]! >>> 4 : 0;
  if (version === 4 && (type === IPV4 || type === 0)) return readV4(bytes, at, end, packet);
  if (version === 6 && (type === IPV6 || type === 0)) return readV6(bytes, at, end, packet);
  return false;
}

/** Ethertypes of linux/if_ether.h. */
const IPV4 = 0x0800;
const IPV6 = 0x86dd;
const VLAN = 0x8100;
const SERVICE_VLAN = 0x88a8;
const MOST_TAGS = 2;

/** RFC 791, 3.1. */
function readV4(bytes: Uint8Array, at: number, limit: number, packet: Packet): boolean {
  const header = (bytes[at]! & 15) * 4;
  if (header < 20 || at + header > limit) return false;
  const { source, destination } = packet;
  source.w0 = source.w1 = destination.w0 = destination.w1 = 0;
  source.w2 = destination.w2 = V4_MARK;
  source.w3 = word(bytes, at + 12);
  destination.w3 = word(bytes, at + 16);
  const first = bytes[at + 12]!;
  if (first === 0 || first >= 224) return false;
  packet.protocol = bytes[at + 9]!;
  packet.isFragment = (u16(bytes, at + 6) & 0x1fff) !== 0;
  // Bytes after the total length are padding. The length is 0 before segmentation offload, as for packets of this machine.
  const total = u16(bytes, at + 2);
  const end = total >= header ? Math.min(limit, at + total) : limit;
  if (!packet.isFragment) readTransport(bytes, at + header, end, packet);
  return true;
}

/** RFC 8200. Follows the extension headers that were copied, at most MOST_HEADERS. */
function readV6(bytes: Uint8Array, at: number, limit: number, packet: Packet): boolean {
  if (at + 40 > limit) return false;
  readV6Address(bytes, at + 8, packet.source);
  readV6Address(bytes, at + 24, packet.destination);
  const { w0, w1, w2, w3 } = packet.source;
  if (w0 === 0 && w1 === 0 && (w2 === V4_MARK || (w2 === 0 && w3 === 0))) return false;
  if (w0 >>> 24 === 0xff) return false;
  const length = u16(bytes, at + 4);
  const end = length > 0 ? Math.min(limit, at + 40 + length) : limit; // 0: a jumbogram, or before segmentation offload
  let next = bytes[at + 6]!;
  let place = at + 40;
  for (let headers = 0; isExtension(next); headers++) {
    if (headers === MOST_HEADERS || place + 8 > end) return true; // the protocol stays unknown
    const following = bytes[place]!;
    if (next === FRAGMENT) {
      packet.isFragment = (u16(bytes, place + 2) & 0xfff8) !== 0;
      if (packet.isFragment) {
        // A later fragment continues the data: no header follows, whatever `next` says.
        if (!isExtension(following)) packet.protocol = following;
        return true;
      }
      place += 8;
    } else place += next === AUTHENTICATION ? (bytes[place + 1]! + 2) * 4 : (bytes[place + 1]! + 1) * 8;
    next = following;
  }
  packet.protocol = next;
  readTransport(bytes, place, end, packet);
  return true;
}

const FRAGMENT = 44;
const AUTHENTICATION = 51;
/** More than the kinds in RFC 8200, each of which may occur once. */
const MOST_HEADERS = 8;

/** Hop-by-hop, routing, fragment, authentication, destination options, mobility, HIP, shim6. ESP hides what follows. */
function isExtension(header: number): boolean {
  switch (header) {
    case 0:
    case 43:
    case FRAGMENT:
    case AUTHENTICATION:
    case 60:
    case 135:
    case 139:
    case 140:
      return true;
    default:
      return false;
  }
}

function readTransport(bytes: Uint8Array, at: number, end: number, packet: Packet): void {
  switch (packet.protocol) {
    case PROTOCOLS.tcp:
      readPorts(bytes, at, end, packet);
      if (at + 14 <= end) packet.flags = bytes[at + 13]!;
      return;
    case PROTOCOLS.udp:
    case PROTOCOLS.udplite:
    case PROTOCOLS.sctp:
    case PROTOCOLS.dccp:
      return readPorts(bytes, at, end, packet);
    case PROTOCOLS.icmp:
    case PROTOCOLS.icmpv6:
      if (at + 2 <= end) packet.icmpType = bytes[at]!;
      return;
  }
}

function readPorts(bytes: Uint8Array, at: number, end: number, packet: Packet): void {
  if (at + 4 > end) return;
  packet.sourcePort = u16(bytes, at);
  packet.destinationPort = u16(bytes, at + 2);
}

function readV6Address(
  bytes: Uint8Array,
  at: number,
  into: { w0: number; w1: number; w2: number; w3: number },
): void {
  into.w0 = word(bytes, at);
  into.w1 = word(bytes, at + 4);
  into.w2 = word(bytes, at + 8);
  into.w3 = word(bytes, at + 12);
}

function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
}
