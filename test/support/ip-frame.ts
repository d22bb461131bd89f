import { addressToBytes, isV4, parseAddress } from "../../src/core/address.ts";
import { PROTOCOLS, TCP_FLAGS } from "../../src/core/packet.ts";

/** A packet to build. The source address may be any, so it may be spoofed. */
export interface FrameOptions {
  readonly source: string;
  readonly destination: string;
  /** Default: TCP. */
  readonly protocol?: "tcp" | "udp" | "sctp" | "icmp" | "icmpv6";
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  /** Default: SYN. */
  readonly flags?: readonly (keyof typeof TCP_FLAGS)[];
  /** 802.1Q tags before the IP header, outermost first. */
  readonly vlans?: readonly number[];
  /** IPv6 extension headers. The first byte of each is overwritten with the number of the next header. */
  readonly extensions?: readonly { readonly header: number; readonly bytes: readonly number[] }[];
  /** IPv4 only; in units of 8 bytes. */
  readonly fragmentOffset?: number;
  readonly options?: number;
  readonly payload?: Uint8Array;
}

/** Builds the IP packet with valid checksums, without a link header. */
export function ipPacket(frame: FrameOptions): Buffer {
  const source = parseAddress(frame.source);
  const destination = parseAddress(frame.destination);
  if (source === null || destination === null) throw new Error("a frame needs addresses");
  const from = addressToBytes(source);
  const to = addressToBytes(destination);
  const number = PROTOCOLS[frame.protocol ?? "tcp"];
  const carried = carriedBy(frame, from, to, number);
  return isV4(source) ? v4(frame, from, to, number, carried) : v6(frame, from, to, number, carried);
}

/** Builds the packet with an Ethernet header; link addresses are written `02:00:00:00:00:01`. */
export function ethernetFrame(
  frame: FrameOptions,
  link: { readonly from: string; readonly to: string },
): Buffer {
  const packet = ipPacket(frame);
  const type = frame.source.includes(":") ? 0x86dd : 0x0800;
  const tags = (frame.vlans ?? []).flatMap((vlan) => [0x8100, vlan]);
  const header = Buffer.alloc(12 + (tags.length + 1) * 2);
  Buffer.from(link.to.replaceAll(":", ""), "hex").copy(header, 0);
  Buffer.from(link.from.replaceAll(":", ""), "hex").copy(header, 6);
  [...tags, type].forEach((word, i) => header.writeUInt16BE(word, 12 + i * 2));
  return Buffer.concat([header, packet]);
}

/** The internet checksum (RFC 1071) of these bytes, continued from the sum `before`. */
export function checksum(bytes: Uint8Array, start: number, end: number, before = 0): number {
  let sum = before;
  for (let i = start; i < end; i += 2) sum += (bytes[i]! << 8) | (i + 1 < end ? bytes[i + 1]! : 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function v4(
  frame: FrameOptions,
  from: Uint8Array,
  to: Uint8Array,
  protocol: number,
  carried: Buffer,
): Buffer {
  const length = 20 + (frame.options ?? 0);
  const header = Buffer.alloc(length, 1); // options are all "no operation"
  header.fill(0, 0, 20);
  header[0] = 0x40 | (length / 4);
  header.writeUInt16BE(length + carried.length, 2);
  header.writeUInt16BE(4711, 4);
  header.writeUInt16BE(frame.fragmentOffset ?? 0, 6);
  header[8] = 64;
  header[9] = protocol;
  header.set(from, 12);
  header.set(to, 16);
  header.writeUInt16BE(checksum(header, 0, length), 10);
  return Buffer.concat([header, carried]);
}

function v6(
  frame: FrameOptions,
  from: Uint8Array,
  to: Uint8Array,
  protocol: number,
  carried: Buffer,
): Buffer {
  const extensions = frame.extensions ?? [];
  const chain = extensions.map(({ bytes }, i) => {
    const block = Buffer.from(bytes);
    block[0] = extensions[i + 1]?.header ?? protocol;
    return block;
  });
  const body = Buffer.concat([...chain, carried]);
  const header = Buffer.alloc(40);
  header[0] = 0x60;
  header.writeUInt16BE(body.length, 4);
  header[6] = extensions[0]?.header ?? protocol;
  header[7] = 64;
  header.set(from, 8);
  header.set(to, 24);
  return Buffer.concat([header, body]);
}

function carriedBy(frame: FrameOptions, from: Uint8Array, to: Uint8Array, protocol: number): Buffer {
  const { payload = new Uint8Array(0), sourcePort = 40_000, destinationPort = 22 } = frame;
  const head = Buffer.alloc({ 6: 20, 17: 8, 132: 12 }[protocol] ?? 8);
  let at = -1; // of the checksum
  if (protocol === PROTOCOLS.icmp || protocol === PROTOCOLS.icmpv6) {
    head[0] = protocol === PROTOCOLS.icmp ? 8 : 128;
    at = 2;
  } else {
    head.writeUInt16BE(sourcePort, 0);
    head.writeUInt16BE(destinationPort, 2);
  }
  if (protocol === PROTOCOLS.tcp) {
    head.writeUInt32BE(1, 4);
    head[12] = 0x50;
    head[13] = (frame.flags ?? ["syn"]).reduce((bits, flag) => bits | TCP_FLAGS[flag], 0);
    head.writeUInt16BE(64_240, 14);
    at = 16;
  } else if (protocol === PROTOCOLS.udp) {
    head.writeUInt16BE(8 + payload.length, 4);
    at = 6;
  }
  const whole = Buffer.concat([head, payload]);
  if (at >= 0) {
    const pseudo = Buffer.concat([from, to, Buffer.from([0, protocol])]);
    const before =
      protocol === PROTOCOLS.icmp ? 0 : ~checksum(pseudo, 0, pseudo.length, whole.length) & 0xffff;
    whole.writeUInt16BE(checksum(whole, 0, whole.length, before), at);
  }
  return whole;
}
