import type { Address } from "./address.ts";

/** Stands for a port, type or flags that the packet does not have, or that were cut off. */
export const UNKNOWN = -1;

/** A packet's headers. One object is filled again for each packet: a consumer copies what it keeps, addresses too. */
export class Packet {
  readonly source: Writable<Address> = { w0: 0, w1: 0, w2: 0, w3: 0 };
  readonly destination: Writable<Address> = { w0: 0, w1: 0, w2: 0, w3: 0 };
  /** IANA protocol number of the payload, after all extension headers; UNKNOWN if it was cut off. */
  protocol = UNKNOWN;
  /** For TCP, UDP, UDP-Lite, SCTP and DCCP; UNKNOWN for others, and in every fragment but the first. */
  sourcePort = UNKNOWN;
  destinationPort = UNKNOWN;
  /** TCP flags, see TCP_FLAGS; UNKNOWN as for the ports. */
  flags = UNKNOWN;
  /** The type of ICMP and ICMPv6. */
  icmpType = UNKNOWN;
  /** True for a fragment that is not the first. */
  isFragment = false;
  /** The prefix of the rule that logged it. */
  prefix = "";
  /** The input interface; empty for none, or if its name cannot be found. */
  interface = "";
}

/** Packets that arrived together. `next` fills `packet` with the next one; false at the end. */
export interface PacketBatch {
  readonly packet: Packet;
  /** Size of the whole batch. */
  readonly bytes: number;
  next(): boolean;
}

/** Takes all packets of a batch, and keeps nothing of it. Never throws. */
export type PacketSink = (batch: PacketBatch) => void;

/** IANA protocol numbers by their names in /etc/protocols. */
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
