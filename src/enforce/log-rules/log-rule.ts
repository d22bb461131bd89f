import type { PortRange } from "../../core/packet.ts";
import { PRIORITY } from "../ruleset/ban-rules.ts";

/** Which packets the kernel logs to a netlink group, for one jail. Empty fields select every packet. */
export interface LogRule extends PacketSelection {
  /** The jail's name. The text that the kernel logs begins with it. */
  readonly jail: string;
  readonly group: number;
  readonly interfaces: readonly string[];
  /** Only packets beyond this rate are logged; null for all. */
  readonly over: { readonly packets: number; readonly seconds: number } | null;
}

export interface PacketSelection {
  /** IANA's numbers. */
  readonly protocols: readonly number[];
  /** Destination ports. */
  readonly ports: readonly PortRange[];
  /** Bits of TCP's flags that must and must not be set; null for any. */
  readonly flags: { readonly set: number; readonly clear: number } | null;
}

/** The protocols that a rule must ask for: flags are TCP's, and ports are found only in protocols that have them. */
export function protocolsOf({ protocols, ports, flags }: PacketSelection): readonly number[] {
  if (flags !== null) return [TCP];
  return protocols.length > 0 || ports.length === 0 ? protocols : WITH_PORTS;
}

/** The unit of a rate, by a word that both nft and iptables know. */
export function unitOf(seconds: number): string {
  return { 60: "minute", 3600: "hour", 86_400: "day" }[seconds] ?? "second";
}

export const LOG_TABLE = "stoplog_log";

/** Directly after the chain of bans, so that packets of banned addresses are not logged. */
export const LOG_PRIORITY = PRIORITY + 5;

/** Bytes copied of each packet: headers, with some of IPv6's extensions. */
export const SNAPLEN = 128;

/** Packets that the kernel collects before it wakes the reader. */
export const THRESHOLD = 100;

const TCP = 6;

/** Protocols whose ports are in the first four bytes: tcp, udp, dccp, sctp, udplite. */
const WITH_PORTS: readonly number[] = [TCP, 17, 33, 132, 136];
