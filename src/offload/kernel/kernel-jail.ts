import type { AddressRanges } from "../../core/ranges.ts";
import { DAY, type Duration, HOUR, MINUTE, SECOND } from "../../core/time.ts";
import type { PacketMatch, PortRange } from "../../enforce/enforcer.ts";
import type { Rate } from "../../kernel/nftables/rule.ts";

/** A jail that the kernel counts for: which packets, how many, and what becomes of their senders. */
export interface KernelJail {
  readonly name: string;
  readonly packets: KernelSelection;
  readonly condition: Condition;
  /** Of a ban; FOREVER for one without end. */
  readonly bantime: Duration;
  /** What the banned meet until the daemon has taken up the ban, as at the jail's target. */
  readonly match: PacketMatch;
  /** Addresses with so many equal first bits count as one. */
  readonly ipv4Prefix: number;
  readonly ipv6Prefix: number;
  /** Networks of one family that are counted at the same time. */
  readonly addresses: number;
  /** Who is left alone by this jail, beside those whom all leave alone. Sorted. */
  readonly ignored: AddressRanges;
}

/** Which packets count. What is empty or null is not asked for. */
export interface KernelSelection {
  /** IANA's numbers. */
  readonly protocols: readonly number[];
  /** Ports that packets go to. */
  readonly ports: readonly PortRange[];
  /** Bits of TCP's flags that must and must not be set. */
  readonly flags: { readonly set: number; readonly clear: number } | null;
  readonly interfaces: readonly string[];
  /** Only the first packet of each connection, as conntrack sees it. */
  readonly opening: boolean;
}

export type Condition =
  /** `maxretry` packets within `findtime`, as far as a bucket can tell: see `bucketOf`. */
  | { readonly kind: "packets"; readonly maxretry: number; readonly findtime: Duration }
  /** More than `most` connections at the same time. */
  | { readonly kind: "connections"; readonly most: number };

/** Whether conntrack must have seen a packet before the jail does. */
export function needsConntrack({ packets, condition }: KernelJail): boolean {
  return packets.opening || condition.kind === "connections";
}

/**
 * The kernel's count is a bucket that holds maxretry - 1 packets and leaks as many in findtime; a packet that finds it full is
 * the ban. Against a window that slides:
 *
 * - maxretry packets at once ban at exactly the last of them.
 * - Nobody is banned whom the window would not ban: to overflow in a time L takes more than (maxretry - 1)(1 + L / findtime)
 *   packets, and some window of findtime within L then has maxretry of them.
 * - Some whom the window would ban come through, never with more than 2 (maxretry - 1) packets in any findtime.
 *
 * The rate is in a unit that nft has a word for, rounded up, so that the second holds all the same. Null where a single packet
 * bans: nothing need be counted.
 */
export function bucketOf(maxretry: number, findtime: Duration): Rate | null {
  if (maxretry <= 1) return null;
  const burst = maxretry - 1;
  const exact = UNITS.find((unit) => Number.isInteger((burst * unit) / findtime));
  const unit = exact ?? WEEK;
  return { packets: Math.max(1, Math.ceil((burst * unit) / findtime)), seconds: unit / SECOND, burst };
}

const WEEK = 7 * DAY;

/** Over more than this the bucket would leak too fast: its slowest rate is one packet in a unit. */
export const LONGEST_FINDTIME: Duration = WEEK;

/** Of limit statements in nft(8). */
const UNITS: readonly Duration[] = [SECOND, MINUTE, HOUR, DAY, WEEK];
