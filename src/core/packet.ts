import type { Address } from "./address.ts";

/** In place of a port, a type or flags that the packet has not, or that were cut off. */
export const UNKNOWN = -1;

/**
 * What a packet says of itself. There is one object, filled anew for each packet: whoever keeps something of it copies it,
 * its addresses too.
 */
export class Packet {
  readonly source: Writable<Address> = { w0: 0, w1: 0, w2: 0, w3: 0 };
  readonly destination: Writable<Address> = { w0: 0, w1: 0, w2: 0, w3: 0 };
  /** IANA's number of what is carried, behind all extension headers; UNKNOWN when it lies behind what was copied. */
  protocol = UNKNOWN;
  /** TCP, UDP, UDP-Lite, SCTP, DCCP: UNKNOWN for others, and in all fragments but the first. */
  sourcePort = UNKNOWN;
  destinationPort = UNKNOWN;
  /** The flags of TCP, see TCP_FLAGS; UNKNOWN like the ports. */
  flags = UNKNOWN;
  /** The type of ICMP and ICMPv6. */
  icmpType = UNKNOWN;
  /** True for a fragment that is not the first. */
  isFragment = false;
  /** The text of the rule that logged it. */
  prefix = "";
  /** The interface it came in by; empty when it came in by none, or its name cannot be found. */
  interface = "";
}

/** Packets that came together. `next` fills `packet` with the next of them; false when there is none left. */
export interface PacketBatch {
  readonly packet: Packet;
  /** Bytes that they came in. */
  readonly bytes: number;
  next(): boolean;
}

/** Takes a batch to its end, and is done with it when it returns. Never throws. */
export type PacketSink = (batch: PacketBatch) => void;

/** IANA's protocol numbers, by the names of /etc/protocols. */
export const PROTOCOLS = {
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  dccp: 33,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  sctp: 132,
  udplite: 136,
} as const;

/** The bits of the 14th byte of a TCP header (RFC 9293, 3.1). */
export const TCP_FLAGS = {
  fin: 0x01,
  syn: 0x02,
  rst: 0x04,
  psh: 0x08,
  ack: 0x10,
  urg: 0x20,
  ece: 0x40,
  cwr: 0x80,
} as const;

type Writable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Ports `first` to `last`, both included. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}
