import type { AddressRanges } from "../../core/ranges.ts";
import { DAY, type Duration, HOUR, MINUTE, SECOND } from "../../core/time.ts";
import type { PacketMatch, PortRange } from "../../enforce/enforcer.ts";
import type { Rate } from "../../kernel/nftables/rule.ts";

/** A jail that the kernel counts for: which packets, how many, and what happens to their senders. */
export interface KernelJail {
  readonly name: string;
  readonly packets: KernelSelection;
  readonly condition: Condition;
  /** The length of a ban; FOREVER for a permanent one. */
  readonly bantime: Duration;
  /** The verdict until the ban is in the book, as at the jail's target. */
  readonly match: PacketMatch;
  /** Addresses with this many equal leading bits count as one. */
  readonly ipv4Prefix: number;
  readonly ipv6Prefix: number;
  /** A bound on the networks of one family that are counted at the same time. */
  readonly addresses: number;
  /** Addresses that this jail ignores, in addition to those of every jail. Sorted. */
  readonly ignored: AddressRanges;
}

/** Which packets count. Empty or null fields select every packet. */
export interface KernelSelection {
  /** IANA's numbers. */
  readonly protocols: readonly number[];
  /** Destination ports. */
  readonly ports: readonly PortRange[];
  /** Bits of TCP's flags that must and must not be set. */
  readonly flags: { readonly set: number; readonly clear: number } | null;
  readonly interfaces: readonly string[];
  /** Only the first packet of each connection, as conntrack sees it. */
  readonly opening: boolean;
}

export type Condition =
  /** `maxretry` packets within `findtime`, approximated by a bucket: see `bucketOf`. */
  | { readonly kind: "packets"; readonly maxretry: number; readonly findtime: Duration }
  /** More than `most` connections at the same time. */
  | { readonly kind: "connections"; readonly most: number };

/** Whether the jail must see packets after conntrack. */
export function needsConntrack({ packets, condition }: KernelJail): boolean {
  return packets.opening || condition.kind === "connections";
}

/**
 * The kernel counts with a bucket that holds maxretry - 1 packets and leaks as many in findtime; a packet that finds it full causes the
 * ban. Compared with a sliding window:
 *
 * - maxretry packets at once cause a ban at exactly the last of them.
 * - Each banned address would be banned by the window too: to overflow in a time L takes more than (maxretry - 1)(1 + L / findtime)
 *   packets, and some window of findtime within L then has maxretry of them.
 * - Some addresses that the window would ban are not, with at most 2 (maxretry - 1) packets in any findtime.
 *
 * The rate is in a unit of nft's, rounded up, so the second statement still holds. Null where a single packet bans: then nothing is
 * counted.
 */
export function bucketOf(maxretry: number, findtime: Duration): Rate | null {
  if (maxretry <= 1) return null;
  const burst = maxretry - 1;
  const exact = UNITS.find((unit) => Number.isInteger((burst * unit) / findtime));
  const unit = exact ?? WEEK;
  return { packets: Math.max(1, Math.ceil((burst * unit) / findtime)), seconds: unit / SECOND, burst };
}

const WEEK = 7 * DAY;

/** With a longer findtime the bucket would leak too fast: its slowest rate is one packet in a unit. */
export const LONGEST_FINDTIME: Duration = WEEK;

/** The units of limit statements in nft(8). */
const UNITS: readonly Duration[] = [SECOND, MINUTE, HOUR, DAY, WEEK];
