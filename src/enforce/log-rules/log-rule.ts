import type { PortRange } from "../enforcer.ts";

/** Which packets the kernel logs to a netlink group, for one jail. What is left out or empty is not asked for. */
export interface LogRule {
  /** The jail's name, which the rule's text begins with. */
  readonly jail: string;
  readonly group: number;
  /** IANA's numbers. */
  readonly protocols: readonly number[];
  readonly ports: readonly PortRange[];
  /** Bits of TCP's flags that must and must not be set; null for any. */
  readonly flags: { readonly set: number; readonly clear: number } | null;
  readonly interfaces: readonly string[];
  /** Only what exceeds this is logged; null for all. */
  readonly over: { readonly packets: number; readonly seconds: number } | null;
}

/** So much of a packet is copied: headers, with some of IPv6's extensions. */
export const SNAPLEN = 128;
/** So many are collected before the reader is woken. */
export const THRESHOLD = 100;

/** Protocols whose ports stand in the first four bytes: tcp, udp, dccp, sctp, udplite. */
export const WITH_PORTS: readonly number[] = [6, 17, 33, 132, 136];

/** The units that both nft and iptables have a word for. */
export function unitOf(seconds: number): string {
  return { 60: "minute", 3600: "hour", 86_400: "day" }[seconds] ?? "second";
}
