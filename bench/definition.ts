import type { Visits } from "./corpora/attackers.ts";
import type { ServiceName } from "./corpora/services.ts";

/** What is measured, with what, and what must come out. Data only: how it is done is the workload's matter. */
export type Definition =
  | ScanDefinition
  | FloodDefinition
  | LatencyDefinition
  | MemoryDefinition
  | StartDefinition
  | LiteralsDefinition
  | WorstLineDefinition
  | BudgetDefinition
  | PacketsDefinition
  | PacketFloodDefinition
  | HttpOrdersDefinition
  | ResetDefinition
  | ZmqOrdersDefinition
  | ListsDefinition
  | EnforcersDefinition;

interface Common {
  readonly name: string;
  /** One sentence: the question that the figures answer. */
  readonly question: string;
  /** What is aimed at, in words. */
  readonly target: string;
  /** How to read the figures, and why not to believe them. */
  readonly analysis: string;
}

/** A file from its first byte to the last decision; the kernel has no part in it. */
export interface ScanDefinition extends Common {
  readonly workload: "scan";
  readonly corpus: {
    readonly service: ServiceName;
    readonly lines: number;
    readonly failures: number;
    readonly attackers: number;
    readonly visits: Visits;
  };
  readonly patterns: 10 | 100 | 1000;
  readonly maxretry: number;
  readonly engines: readonly ScanEngine[];
  /** Of the whole corpus; kept here so that a generator cannot change unnoticed. */
  readonly expect: { readonly failures: number; readonly banned: number };
}

/** An engine, and the share of the lines it gets where it would take too long otherwise. */
export interface ScanEngine {
  readonly name: string;
  readonly share?: number;
}

/** A log written at once to a daemon that watches it, until the last of all bans is in the kernel. */
export interface FloodDefinition extends Common {
  readonly workload: "flood";
  readonly lines: number;
  readonly attackers: number;
  readonly maxretry: number;
  readonly rivals: readonly FloodRival[];
}

/** Some rivals need minutes: they run once, on request as often as the others, or with fewer lines. */
export interface FloodRival {
  readonly name: string;
  readonly rounds?: "once";
  readonly share?: number;
}

/** One failure of a new address at a time: from the write to the log until the kernel says that it is banned. */
export interface LatencyDefinition extends Common {
  readonly workload: "latency";
  readonly maxretry: number;
  /** Matching lines of others a second meanwhile. */
  readonly load: number;
  readonly pauseMs: number;
  readonly rivals: readonly { readonly name: string; readonly samples: number }[];
}

/** Resident memory at rest, and with many addresses counted but not banned. */
export interface MemoryDefinition extends Common {
  readonly workload: "memory";
  readonly rivals: readonly { readonly name: string; readonly addresses: number }[];
}

/** From the start of the process to the first ban, and what it costs to watch a log in which nothing happens. */
export interface StartDefinition extends Common {
  readonly workload: "start";
  readonly idleSeconds: number;
  readonly rivals: readonly { readonly name: string }[];
}

/** Throughput of the matcher alone, by the way its literals are chosen, on corpora of several services. */
export interface LiteralsDefinition extends Common {
  readonly workload: "literals";
  /** How many of the bench's patterns, or all filters of the library. */
  readonly patterns: 10 | 100 | 1000 | "library";
  readonly lines: number;
}

/** The most expensive line that the bench can think of, for each filter of the library and for patterns that are known to be bad. */
export interface WorstLineDefinition extends Common {
  readonly workload: "worst-line";
  readonly lineBytes: number;
  readonly engines: readonly { readonly name: string }[];
}

/** A steady stream of the kernel's lines to a daemon with little CPU and memory. */
export interface BudgetDefinition extends Common {
  readonly workload: "budget";
  readonly cpu: number;
  readonly memoryMegabytes: number;
  readonly linesPerSecond: number;
  readonly seconds: number;
  readonly maxretry: number;
  readonly rivals: readonly { readonly name: string }[];
}

/** A SYN flood of forged sources against a service that others use meanwhile. */
export interface PacketFloodDefinition extends Common {
  readonly workload: "packet-flood";
  readonly sources: number;
  /** Each source sends one in turn, and the next round begins. */
  readonly packets: number;
  /** A second. */
  readonly rate: number;
  readonly maxretry: number;
  /** Connections a second of those who belong there. */
  readonly visitors: number;
  readonly rivals: readonly { readonly name: string; readonly share?: number }[];
}

/** Packets of forged sources to a daemon that listens to their log group, until all sources are banned in the kernel. */
export interface PacketsDefinition extends Common {
  readonly workload: "packets";
  readonly family: "v4" | "v6";
  readonly sources: number;
  /** Each source sends one in turn, and the next round begins. */
  readonly packets: number;
  /** A second; null for as many as can be sent. */
  readonly rate: number | null;
  readonly maxretry: number;
}

/** Orders over the API, in batches, until they are in the kernel. */
export interface HttpOrdersDefinition extends Common {
  readonly workload: "http-orders";
  readonly orders: number;
  /** Orders a request. */
  readonly batch: number;
  readonly connections: number;
}

/** Live connections of addresses that are banned at one moment, in the conntrack table of a network namespace. */
export interface ResetDefinition extends Common {
  readonly workload: "reset";
  readonly addresses: number;
  /** Conntrack entries that these have together, and entries of others, which must stay. */
  readonly entries: number;
  readonly others: number;
  /** An engine, and the share of the addresses that it bans where it would take too long otherwise. */
  readonly engines: readonly { readonly name: "stoplog" | "each" | "conntrack"; readonly share?: number }[];
}

/** Orders over ØMQ to the daemon until all are in the kernel: at once, one after the other, and as Swabber carried them out. */
export interface ZmqOrdersDefinition extends Common {
  readonly workload: "zmq-orders";
  /** At once. */
  readonly orders: number;
  /** One after the other, with so many microseconds between. */
  readonly paced: number;
  readonly pauseMicros: number;
  /** Of Swabber's way, each of which runs two programs. */
  readonly swabbers: number;
}

/** A list of addresses into the kernel, replaced, and cut to half, while bans go on beside it. */
export interface ListsDefinition extends Common {
  readonly workload: "lists";
  readonly entries: number;
  /** Between one ban and the next. */
  readonly pauseMs: number;
  readonly engines: readonly { readonly name: "stoplog" | "nft" }[];
}

/** Bans of new addresses handed over to each kind of enforcer in calls of so many. */
export interface EnforcersDefinition extends Common {
  readonly workload: "enforcers";
  readonly batch: number;
  readonly engines: readonly EnforcerEngine[];
}

export interface EnforcerEngine {
  readonly name:
    | "nftables"
    | "nft program"
    | "nft-set"
    | "ipset"
    | "ipset, by its program"
    | "ipset restore"
    | "route"
    | "recent"
    | "iptables"
    | "hosts.deny"
    | "fail2ban's iptables";
  readonly bans: number;
  readonly note?: string;
}
