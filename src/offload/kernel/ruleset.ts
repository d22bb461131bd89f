import { FOREVER, SECOND } from "../../core/time.ts";
import type { PacketTarget } from "../../enforce/enforcer.ts";
import { nftables } from "../../enforce/nftables/kind.ts";
import { WITH_PORTS } from "../../enforce/log-rules/log-rule.ts";
import { type BanSet, banSet, type Family } from "../../enforce/ruleset/names.ts";
import {
  chainsOf,
  helperSetsOf,
  type HelperSet,
  mergePorts,
  type Part,
  type Rate,
} from "../../enforce/ruleset/ruleset.ts";
import { bucketOf, type KernelJail, needsConntrack } from "./kernel-jail.ts";

/**
 * What stands in the table of the jails that the kernel counts for:
 *
 *      prerouting ──► <jail>/banned ─► <jail>_v4 ─► <jail>_verdict       drop, reject or throttle
 *        never for       │               banned already, and not taken up by the daemon yet
 *        the ignored     ▼
 *      prerouting ──► <jail>/packets ─► <jail>/count ─► <jail>/over ─► <jail>/ban ─► <jail>_verdict
 *      or connections    selected?       bucket or        so many bans     into
 *      (after conntrack)                 connections      a second only    @<jail>_v4
 *
 * The daemon moves what it finds in @<jail>_v4 to the book, and so to the jail's target, whose rules come before these. As long as it
 * sleeps the ban holds here.
 */
export type KernelPart =
  | Part
  | { readonly kind: "loopback" }
  | { readonly kind: "interface"; readonly name: string }
  | { readonly kind: "flags"; readonly set: number; readonly clear: number }
  | { readonly kind: "opening" }
  | {
      readonly kind: "among";
      readonly family: Family;
      readonly set: string;
      readonly length: number | null;
      readonly not: boolean;
    }
  | { readonly kind: "count"; readonly counter: string }
  | { readonly kind: "capped"; readonly limit: string }
  | {
      readonly kind: "bucket";
      readonly family: Family;
      readonly set: string;
      readonly length: number | null;
      readonly rate: Rate;
    }
  | {
      readonly kind: "connections";
      readonly family: Family;
      readonly set: string;
      readonly length: number | null;
      readonly most: number;
    }
  | {
      readonly kind: "ban";
      readonly set: BanSet;
      /** Milliseconds; null for ever. */ readonly timeout: number | null;
    };

export type KernelRule = readonly KernelPart[];

export interface KernelChain {
  readonly name: string;
  readonly rules: readonly KernelRule[];
}

export interface KernelBase extends KernelChain {
  readonly priority: number;
}

/** A set in which the kernel counts. */
export interface CountSet {
  readonly name: string;
  readonly family: Family;
  readonly size: number;
  /** Seconds; null where the kernel forgets who has no connection any more. */
  readonly timeout: number | null;
}

/** Addresses that are left alone, in intervals. */
export interface IgnoredSet {
  readonly name: string;
  readonly family: Family;
  /** Null for those of all jails. */
  readonly jail: string | null;
}

export const FAMILIES: readonly Family[] = ["v4", "v6"];

/** Behind the bans (-310), so that who is banned is not counted; before what logs packets and lists (-305). */
export const PRIORITY = -307;
/** Behind conntrack (-200), and behind mangle's marks (-150) nobody needs us. */
export const CONNTRACK_PRIORITY = -190;

export const BASE_CHAIN = "prerouting";
export const CONNTRACK_CHAIN = "connections";

/** All jails together ban no faster than this limit says. */
export const CAP = "bans";

/** What each jail counts, in this order: packets that met a ban, bans, and what came of too much. */
export const COUNTERS = ["stopped", "banned", "capped", "full", "uncounted"] as const;
export type CounterName = (typeof COUNTERS)[number];

export function counterOf(jail: string, name: CounterName): string {
  return `${jail}/${name}`;
}

export function lengthOf(jail: KernelJail, family: Family): number | null {
  if (family === "v4") return jail.ipv4Prefix === 32 ? null : jail.ipv4Prefix;
  return jail.ipv6Prefix === 128 ? null : jail.ipv6Prefix;
}

/** Where the kernel puts whom it bans; the name of the set is like that of a target's. */
export function waitingSet(jail: KernelJail, family: Family): BanSet {
  return banSet(jail.name, family, lengthOf(jail, family));
}

/** Where an address may stand: among those who are banned, and among those who are counted. */
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
      // A bucket nobody has added to for so long is empty: nothing is lost when it is forgotten.
      timeout: condition.kind === "packets" ? Math.max(1, Math.ceil(condition.findtime / SECOND)) : null,
    }));
  });
}

export function ignoredSetsOf(jails: readonly KernelJail[]): readonly IgnoredSet[] {
  return [null, ...jails.map(({ name }) => name)].flatMap((jail) =>
    FAMILIES.map((family) => ({ name: ignoredSet(jail, family), family, jail })),
  );
}

/** Sets of ports, and of throttled rates. */
export function helpersOf(jails: readonly KernelJail[]): readonly HelperSet[] {
  const ports = jails.flatMap(({ name, packets }): HelperSet[] =>
    packets.ports.length === 0
      ? []
      : [{ kind: "ports", name: portSet(name), ranges: mergePorts(packets.ports) }],
  );
  return [...helperSetsOf(jails.map(targetOf)), ...ports];
}

/** In an order in which each is there before it is jumped to. */
export function kernelChains(jails: readonly KernelJail[]): readonly KernelChain[] {
  const waiting = jails.flatMap((jail) => FAMILIES.map((family) => waitingSet(jail, family)));
  const held = chainsOf(jails.map(targetOf), waiting).filter(({ base }) => !base);
  return jails.flatMap((jail) => {
    const own = held.filter(({ name }) => targetChains(jail.name).includes(name));
    return [
      ...own.map(({ name, rules }) => ({ name, rules: rules.map((rule) => counted(rule, jail.name)) })),
      ...countingChains(jail),
    ];
  });
}

/** The chains at hooks, whose rules come last. */
export function baseChains(jails: readonly KernelJail[]): readonly KernelBase[] {
  const late = jails.filter(needsConntrack);
  const early = jails.filter((jail) => !needsConntrack(jail));
  const banned = jails.map(({ name }): KernelRule => [{ kind: "jump", chain: `${name}/banned` }]);
  return [
    {
      name: BASE_CHAIN,
      priority: PRIORITY,
      rules: [...exempt(null), ...banned, ...early.map(packetsOf)],
    },
    ...(late.length === 0
      ? []
      : [
          {
            name: CONNTRACK_CHAIN,
            priority: CONNTRACK_PRIORITY,
            rules: [...exempt(null), ...late.map(packetsOf)],
          },
        ]),
  ];
}

function packetsOf({ name }: KernelJail): KernelRule {
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

/** The jail's own target stands in this table for as long as a ban waits to be taken up. */
function targetOf({ name, match }: KernelJail): PacketTarget {
  return { name, enforcer: nftables.name, ...match };
}

function targetChains(jail: string): readonly string[] {
  return ["verdict", "ports", "v4", "v6"].map((part) => `${jail}_${part}`);
}

/** What is counted is counted by name, to be told of the jail. */
function counted(rule: readonly Part[], jail: string): KernelRule {
  const passes = rule.some(({ kind }) => kind === "return");
  return rule.flatMap((part): KernelPart[] => {
    if (part.kind !== "counter") return [part];
    return passes ? [] : [{ kind: "count", counter: counterOf(jail, "stopped") }];
  });
}

function exempt(jail: string | null): KernelRule[] {
  const sets = FAMILIES.map((family): KernelRule => [
    { kind: "family", family },
    { kind: "among", family, set: ignoredSet(jail, family), length: null, not: false },
    { kind: "return" },
  ]);
  return jail === null ? [[{ kind: "loopback" }, { kind: "return" }], ...sets] : sets;
}

function countingChains(jail: KernelJail): readonly KernelChain[] {
  const { name, match } = jail;
  const verdict: KernelPart = {
    kind: "goto",
    chain: `${name}_${match.ports.length > 0 ? "ports" : "verdict"}`,
  };
  const over: KernelPart = { kind: "goto", chain: `${name}/over` };
  return [
    {
      name: `${name}/banned`,
      rules: [
        ...exempt(name),
        ...FAMILIES.map((family): KernelRule => [
          { kind: "family", family },
          { kind: "jump", chain: `${name}_${family}` },
        ]),
      ],
    },
    {
      name: `${name}/ban`,
      rules: [
        ...FAMILIES.map((family): KernelRule => [
          { kind: "family", family },
          {
            kind: "ban",
            set: waitingSet(jail, family),
            timeout: jail.bantime === FOREVER ? null : jail.bantime,
          },
          { kind: "count", counter: counterOf(name, "banned") },
          verdict,
        ]),
        [{ kind: "count", counter: counterOf(name, "full") }],
      ],
    },
    {
      name: `${name}/over`,
      rules: [
        [
          { kind: "capped", limit: CAP },
          { kind: "goto", chain: `${name}/ban` },
        ],
        [{ kind: "count", counter: counterOf(name, "capped") }],
      ],
    },
    { name: `${name}/count`, rules: countRules(jail, over) },
    { name: `${name}/packets`, rules: [...exempt(name), ...selectRules(jail)] },
  ];
}

function countRules(jail: KernelJail, over: KernelPart): readonly KernelRule[] {
  const { name, condition } = jail;
  const bucket = condition.kind === "packets" ? bucketOf(condition.maxretry, condition.findtime) : null;
  const counting = (family: Family): KernelPart | null => {
    const key = { family, set: countSet(name, family), length: lengthOf(jail, family) };
    if (condition.kind === "connections") return { kind: "connections", ...key, most: condition.most };
    return bucket === null ? null : { kind: "bucket", ...key, rate: bucket };
  };
  const rules = FAMILIES.flatMap((family): KernelRule[] => {
    const part = counting(family);
    if (part === null) return [];
    return [
      [{ kind: "family", family }, part, over],
      // Who is not in the set now found no room in it.
      [
        { kind: "family", family },
        { kind: "among", family, set: countSet(name, family), length: lengthOf(jail, family), not: true },
        { kind: "count", counter: counterOf(name, "uncounted") },
      ],
    ];
  });
  return rules.length === 0 ? [[over]] : rules;
}

/** A rule for each protocol and interface: sets without a name would take more messages than they save. */
function selectRules({ name, packets }: KernelJail): readonly KernelRule[] {
  const { protocols, ports, flags, interfaces, opening } = packets;
  const carried =
    flags !== null ? [TCP] : protocols.length > 0 || ports.length === 0 ? protocols : WITH_PORTS;
  const kinds =
    carried.length === 0 ? [[]] : carried.map((protocol): KernelRule => [{ kind: "protocol", protocol }]);
  const ways =
    interfaces.length === 0 ? [[]] : interfaces.map((name): KernelRule => [{ kind: "interface", name }]);
  const rest: KernelRule = [
    ...(flags === null ? [] : [{ kind: "flags", ...flags } as const]),
    ...(ports.length === 0 ? [] : [{ kind: "port", set: portSet(name) } as const]),
    ...(opening ? [{ kind: "opening" } as const] : []),
    { kind: "goto", chain: `${name}/count` },
  ];
  return ways.flatMap((way) => kinds.map((kind): KernelRule => [...way, ...kind, ...rest]));
}

/** IANA's number. */
const TCP = 6;
