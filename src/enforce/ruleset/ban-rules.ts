import { DAY, HOUR, MINUTE, SECOND } from "../../core/time.ts";
import type { Family } from "../../core/family.ts";
import type { Chain, Part, Rate } from "../../kernel/nftables/rule.ts";
import type { PortRange, Protocol, PacketTarget, Verdict } from "../enforcer.ts";
import type { BanSet } from "./names.ts";

/**
 * The contents of the table of bans, as data: our own messages and the nft program are both made from it.
 *
 *      prerouting ─► <target>_v4 ─► <target>_ports ─► <target>_verdict
 *        every        source in a     for the ports      drop, reject or
 *        packet       set of bans     of the target      throttle
 *
 * The base chain is at prerouting, before everything that keeps state: packets for this host, forwarded ones and
 * those of containers are all stopped, and established connections end as well.
 */
export interface BanChain extends Chain {
  readonly rules: readonly BanRule[];
}

export type BanRule = readonly BanPart[];

/** The parts that rules about bans consist of: the nft program must be able to print each of them. */
export type BanPart = Extract<
  Part,
  {
    kind:
      | "family"
      | "source"
      | "protocol"
      | "port"
      | "source limit"
      | "counter"
      | "jump"
      | "goto"
      | "reject"
      | "drop"
      | "return";
  }
>;

/** Sets that do not hold bans. */
export type HelperSet =
  | { readonly kind: "ports"; readonly name: string; readonly ranges: readonly PortRange[] }
  | {
      readonly kind: "rate";
      readonly name: string;
      readonly family: Family;
      readonly size: number;
      /** Seconds. */
      readonly timeout: number;
    };

/**
 * Before raw (-300) and conntrack (-200): packets of a flood do not create conntrack entries, and those of established connections are
 * dropped too. After defragmentation (-400): fragments have no ports.
 */
export const PRIORITY = -310;

/** Addresses whose rate a throttling target tracks. Packets of further addresses are dropped until an entry expires. */
export const RATE_ENTRIES = 65_536;

export const BASE_CHAIN = "prerouting";

/** All chains; each comes before the chains that jump to it. */
export function chainsOf(targets: readonly PacketTarget[], sets: Iterable<BanSet>): readonly BanChain[] {
  const all = [...sets];
  const chains: BanChain[] = [];
  for (const target of targets) {
    chains.push({ name: `${target.name}_verdict`, base: null, rules: verdictRules(target) });
    if (target.ports.length > 0) {
      chains.push({ name: `${target.name}_ports`, base: null, rules: portRules(target) });
    }
    for (const family of FAMILIES) chains.push(sourceChain(target, family, all));
  }
  const jumps = targets.flatMap((target) =>
    FAMILIES.map((family): BanRule => [
      { kind: "family", family },
      { kind: "jump", chain: `${target.name}_${family}` },
    ]),
  );
  return [...chains, { name: BASE_CHAIN, base: { priority: PRIORITY }, rules: jumps }];
}

/** The chain that looks the source up in all sets of bans of one family. It is written again whenever a set is made or deleted. */
export function sourceChain(target: PacketTarget, family: Family, sets: readonly BanSet[]): BanChain {
  const next = target.ports.length > 0 ? `${target.name}_ports` : `${target.name}_verdict`;
  const rules = sets
    .filter((set) => set.target === target.name && set.family === family)
    .toSorted((a, b) => (b.length ?? 128) - (a.length ?? 128) || Number(a.spare) - Number(b.spare))
    .map((set): BanRule => [
      { kind: "source", set },
      // goto: a packet that the verdict chain returns goes to the next target, never to this one again.
      { kind: "goto", chain: next },
    ]);
  return { name: `${target.name}_${family}`, base: null, rules };
}

export function helperSetsOf(targets: readonly PacketTarget[]): readonly HelperSet[] {
  return targets.flatMap((target) => {
    const sets: HelperSet[] = [];
    if (target.ports.length > 0) {
      sets.push({ kind: "ports", name: portSet(target), ranges: mergePorts(target.ports) });
    }
    if (target.verdict.kind === "throttle") {
      const timeout = refillSeconds(rateOf(target.verdict));
      for (const family of FAMILIES) {
        sets.push({ kind: "rate", name: rateSet(target, family), family, size: RATE_ENTRIES, timeout });
      }
    }
    return sets;
  });
}

/** Sorted, and merged where they overlap or touch: the kernel refuses overlapping intervals. */
export function mergePorts(ranges: readonly PortRange[]): readonly PortRange[] {
  const merged: { first: number; last: number }[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before !== undefined && range.first <= before.last + 1)
      before.last = Math.max(before.last, range.last);
    else merged.push({ ...range });
  }
  return merged;
}

/** In a unit that nft has, and at least one packet. */
export function rateOf({ packets, per, burst }: Verdict & { kind: "throttle" }): Rate {
  const seconds = UNITS.includes(per) ? per : DAY;
  return {
    packets: Math.max(1, Math.round((packets * seconds) / per)),
    seconds: seconds / SECOND,
    burst: Math.max(1, Math.round(burst)),
  };
}

const FAMILIES: readonly Family[] = ["v4", "v6"];

/** The units of limit statements in nft(8). */
const UNITS: readonly number[] = [SECOND, MINUTE, HOUR, DAY, 7 * DAY];

/** IANA protocol numbers. */
const PROTOCOLS: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17, dccp: 33, sctp: 132 };

const TCP = PROTOCOLS.tcp;

function portSet(target: PacketTarget): string {
  return `${target.name}_port_numbers`;
}

function rateSet(target: PacketTarget, family: Family): string {
  return `${target.name}_rate_${family === "v4" ? "4" : "6"}`;
}

/** Packets to other ports go to the next target. */
function portRules(target: PacketTarget): readonly BanRule[] {
  const protocols = target.protocols.length > 0 ? target.protocols : (["tcp", "udp"] as const);
  return protocols.map((protocol): BanRule => [
    { kind: "protocol", protocol: PROTOCOLS[protocol] },
    { kind: "port", set: portSet(target) },
    { kind: "goto", chain: `${target.name}_verdict` },
  ]);
}

function verdictRules(target: PacketTarget): readonly BanRule[] {
  switch (target.verdict.kind) {
    case "drop":
      return [[{ kind: "counter" }, { kind: "drop" }]];
    case "reject":
      return [
        [{ kind: "protocol", protocol: TCP }, { kind: "counter" }, { kind: "reject", with: "tcp reset" }],
        [{ kind: "counter" }, { kind: "reject", with: "admin-prohibited" }],
      ];
    case "throttle": {
      const rate = rateOf(target.verdict);
      // Packets within the rate return. All others are dropped, also when the set has no room for another address.
      return [
        ...FAMILIES.map((family): BanRule => [
          { kind: "family", family },
          {
            kind: "source limit",
            set: { name: rateSet(target, family), family, length: null },
            rate,
            over: false,
          },
          { kind: "counter" },
          { kind: "return" },
        ]),
        [{ kind: "counter" }, { kind: "drop" }],
      ];
    }
  }
}

/** After this time an idle bucket is full again, so the kernel can forget it. */
function refillSeconds({ packets, seconds, burst }: Rate): number {
  return Math.max(10, Math.ceil((burst / packets) * seconds));
}
