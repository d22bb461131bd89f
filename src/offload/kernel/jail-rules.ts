import type { Family } from "../../core/family.ts";
import { FOREVER, SECOND } from "../../core/time.ts";
import type { PacketTarget } from "../../enforce/enforcer.ts";
import { nftables } from "../../enforce/nftables/kind.ts";
import { protocolsOf } from "../../enforce/log-rules/log-rule.ts";
import { chainsOf, helperSetsOf, type HelperSet, mergePorts } from "../../enforce/ruleset/ban-rules.ts";
import { type BanSet, banSet } from "../../enforce/ruleset/names.ts";
import type { AddressSet, Chain, Part, Rule } from "../../kernel/nftables/rule.ts";
import { bucketOf, type KernelJail, needsConntrack } from "./kernel-jail.ts";

/*
 * The contents of the table of the jails that the kernel counts for:
 *
 *      prerouting ──► <jail>/banned ─► <jail>_v4 ─► <jail>_verdict       drop, reject or throttle
 *        except the      │               banned already, and not in the book yet
 *        ignored         ▼
 *      prerouting ──► <jail>/packets ─► <jail>/count ─► <jail>/over ─► <jail>/ban ─► <jail>_verdict
 *      or connections    selected?       bucket or        so many bans     into
 *      (after conntrack)                 connections      a second only    @<jail>_v4
 *
 * The daemon moves what it finds in @<jail>_v4 to the book, and so to the jail's target, whose rules come before these. Until it does,
 * the ban holds here.
 */

/** A set in which the kernel counts. */
export interface CountSet {
  readonly name: string;
  readonly family: Family;
  readonly size: number;
  /** Seconds; null where the kernel removes an address with its last connection. */
  readonly timeout: number | null;
}

/** Ignored addresses, in intervals. */
export interface IgnoredSet {
  readonly name: string;
  readonly family: Family;
  /** Null for the addresses that every jail ignores. */
  readonly jail: string | null;
}

export const FAMILIES: readonly Family[] = ["v4", "v6"];

/** After the bans (-310): banned addresses are not counted. Before log rules and lists (-305). */
export const PRIORITY = -307;
/** After conntrack (-200) and before mangle (-150). */
export const CONNTRACK_PRIORITY = -190;

export const BASE_CHAIN = "prerouting";
export const CONNTRACK_CHAIN = "connections";

/** The limit on the bans of all jails together. */
export const CAP = "bans";

/** The counters of each jail: packets of banned addresses, bans, bans beyond the cap, bans and addresses without room. */
export const COUNTERS = ["stopped", "banned", "capped", "full", "uncounted"] as const;
export type CounterName = (typeof COUNTERS)[number];

export function counterOf(jail: string, name: CounterName): string {
  return `${jail}/${name}`;
}

export function lengthOf(jail: KernelJail, family: Family): number | null {
  if (family === "v4") return jail.ipv4Prefix === 32 ? null : jail.ipv4Prefix;
  return jail.ipv6Prefix === 128 ? null : jail.ipv6Prefix;
}

/** The set in which the kernel puts the addresses that it bans, named like a target's. */
export function waitingSet(jail: KernelJail, family: Family): BanSet {
  return banSet(jail.name, family, lengthOf(jail, family));
}

/** The sets that may contain an address: banned ones, and counted ones. */
export function setsOfAddresses(jail: KernelJail, family: Family): readonly BanSet[] {
  const waiting = waitingSet(jail, family);
  const counted = countSetsOf([jail]).filter((set) => set.family === family);
  return [waiting, ...counted.map(({ name }) => ({ ...waiting, name }))];
}

export function countSetsOf(jails: readonly KernelJail[]): readonly CountSet[] {
  return jails.flatMap((jail) => {
    const { condition, name } = jail;
    const bucket = condition.kind === "packets" ? bucketOf(condition.maxretry, condition.findtime) : null;
    if (condition.kind === "packets" && bucket === null) return [];
    return FAMILIES.map((family) => ({
      name: countSet(name, family),
      family,
      size: jail.addresses,
      // After this time without packets a bucket is empty, so the kernel can forget it.
      timeout: condition.kind === "packets" ? Math.max(1, Math.ceil(condition.findtime / SECOND)) : null,
    }));
  });
}

export function ignoredSetsOf(jails: readonly KernelJail[]): readonly IgnoredSet[] {
  return [null, ...jails.map(({ name }) => name)].flatMap((jail) =>
    FAMILIES.map((family) => ({ name: ignoredSet(jail, family), family, jail })),
  );
}

/** Sets of ports and of throttled addresses. */
export function helpersOf(jails: readonly KernelJail[]): readonly HelperSet[] {
  const ports = jails.flatMap(({ name, packets }): HelperSet[] =>
    packets.ports.length === 0
      ? []
      : [{ kind: "ports", name: portSet(name), ranges: mergePorts(packets.ports) }],
  );
  return [...helperSetsOf(jails.map(targetOf)), ...ports];
}

/** The chains that are jumped to. */
export function kernelChains(jails: readonly KernelJail[]): readonly Chain[] {
  const waiting = jails.flatMap((jail) => FAMILIES.map((family) => waitingSet(jail, family)));
  const verdicts = chainsOf(jails.map(targetOf), waiting).filter(({ base }) => base === null);
  return jails.flatMap((jail) => {
    const own = verdicts.filter(({ name }) => targetChains(jail.name).includes(name));
    return [
      ...own.map(({ name, rules }) => ({
        name,
        base: null,
        rules: rules.map((rule) => counted(rule, jail.name)),
      })),
      ...countingChains(jail),
    ];
  });
}

/** The base chains. */
export function baseChains(jails: readonly KernelJail[]): readonly Chain[] {
  const late = jails.filter(needsConntrack);
  const early = jails.filter((jail) => !needsConntrack(jail));
  const banned = jails.map(({ name }): Rule => [{ kind: "jump", chain: `${name}/banned` }]);
  return [
    {
      name: BASE_CHAIN,
      base: { priority: PRIORITY },
      rules: [...exempt(null), ...banned, ...early.map(packetsOf)],
    },
    ...(late.length === 0
      ? []
      : [
          {
            name: CONNTRACK_CHAIN,
            base: { priority: CONNTRACK_PRIORITY },
            rules: [...exempt(null), ...late.map(packetsOf)],
          },
        ]),
  ];
}

function packetsOf({ name }: KernelJail): Rule {
  return [{ kind: "jump", chain: `${name}/packets` }];
}

function countSet(jail: string, family: Family): string {
  return `${jail}/counted_${family}`;
}

function ignoredSet(jail: string | null, family: Family): string {
  return `${jail ?? ""}/ignored_${family}`.replace(/^\//, "");
}

function portSet(jail: string): string {
  return `${jail}/port_numbers`;
}

/** The jail's verdict in this table, for bans that are not in the book yet. */
function targetOf({ name, match }: KernelJail): PacketTarget {
  return { name, enforcer: nftables.name, ...match };
}

function targetChains(jail: string): readonly string[] {
  return ["verdict", "ports", "v4", "v6"].map((part) => `${jail}_${part}`);
}

/** With the named counter of the jail in the place of anonymous ones. */
function counted(rule: readonly Part[], jail: string): Rule {
  const passes = rule.some(({ kind }) => kind === "return");
  return rule.flatMap((part): Part[] => {
    if (part.kind !== "counter") return [part];
    return passes ? [] : [{ kind: "counter object", name: counterOf(jail, "stopped") }];
  });
}

function exempt(jail: string | null): Rule[] {
  const sets = FAMILIES.map((family): Rule => [
    { kind: "source", set: { name: ignoredSet(jail, family), family, length: null } },
    { kind: "return" },
  ]);
  return jail === null ? [[{ kind: "loopback" }, { kind: "return" }], ...sets] : sets;
}

function countingChains(jail: KernelJail): readonly Chain[] {
  const { name, match } = jail;
  const verdict: Part = {
    kind: "goto",
    chain: `${name}_${match.ports.length > 0 ? "ports" : "verdict"}`,
  };
  const over: Part = { kind: "goto", chain: `${name}/over` };
  return [
    {
      name: `${name}/banned`,
      base: null,
      rules: [
        ...exempt(name),
        ...FAMILIES.map((family): Rule => [
          { kind: "family", family },
          { kind: "jump", chain: `${name}_${family}` },
        ]),
      ],
    },
    {
      name: `${name}/ban`,
      base: null,
      rules: [
        ...FAMILIES.map((family): Rule => [
          { kind: "family", family },
          // Added, not updated: packets of an attacker that is already banned do not prolong the ban.
          {
            kind: "add source",
            set: waitingSet(jail, family),
            timeout: jail.bantime === FOREVER ? null : jail.bantime,
          },
          { kind: "counter object", name: counterOf(name, "banned") },
          verdict,
        ]),
        [{ kind: "counter object", name: counterOf(name, "full") }],
      ],
    },
    {
      name: `${name}/over`,
      base: null,
      rules: [
        [
          { kind: "limit object", name: CAP },
          { kind: "goto", chain: `${name}/ban` },
        ],
        [{ kind: "counter object", name: counterOf(name, "capped") }],
      ],
    },
    { name: `${name}/count`, base: null, rules: countRules(jail, over) },
    { name: `${name}/packets`, base: null, rules: [...exempt(name), ...selectRules(jail)] },
  ];
}

function countRules(jail: KernelJail, over: Part): readonly Rule[] {
  const { name, condition } = jail;
  const bucket = condition.kind === "packets" ? bucketOf(condition.maxretry, condition.findtime) : null;
  const counted = (family: Family): AddressSet => ({
    name: countSet(name, family),
    family,
    length: lengthOf(jail, family),
  });
  const counting = (family: Family): Part | null => {
    const set = counted(family);
    if (condition.kind === "connections") return { kind: "source connections", set, over: condition.most };
    return bucket === null ? null : { kind: "source limit", set, rate: bucket, over: true };
  };
  const rules = FAMILIES.flatMap((family): Rule[] => {
    const part = counting(family);
    if (part === null) return [];
    return [
      [{ kind: "family", family }, part, over],
      // An address that is not in the set now found no room in it.
      [
        { kind: "source", set: counted(family), not: true },
        { kind: "counter object", name: counterOf(name, "uncounted") },
      ],
    ];
  });
  return rules.length === 0 ? [[over]] : rules;
}

/** A rule for each protocol and interface: anonymous sets would take more messages than they save. */
function selectRules({ name, packets }: KernelJail): readonly Rule[] {
  const { ports, flags, interfaces, opening } = packets;
  const protocols = protocolsOf(packets);
  const kinds =
    protocols.length === 0 ? [[]] : protocols.map((protocol): Rule => [{ kind: "protocol", protocol }]);
  const ways = interfaces.length === 0 ? [[]] : interfaces.map((name): Rule => [{ kind: "interface", name }]);
  const rest: Rule = [
    ...(flags === null ? [] : [{ kind: "flags", ...flags } as const]),
    ...(ports.length === 0 ? [] : [{ kind: "port", set: portSet(name) } as const]),
    ...(opening ? [{ kind: "new connection" } as const] : []),
    { kind: "goto", chain: `${name}/count` },
  ];
  return ways.flatMap((way) => kinds.map((kind): Rule => [...way, ...kind, ...rest]));
}
