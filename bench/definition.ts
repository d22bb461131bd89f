import type { Visits } from "./corpora/attackers.ts";
import type { ServiceName } from "./corpora/services.ts";

/** What is measured, with which engines, and the expected counts. Data only; workloads/ has the code. */
export type Definition =
  | ScanDefinition
  | FloodDefinition
  | LatencyDefinition
  | MemoryDefinition
  | StartDefinition
  | LiteralsDefinition
  | WorstLineDefinition
  | BudgetDefinition
  | BystandersDefinition
  | PacketsDefinition
  | PacketFloodDefinition
  | HttpOrdersDefinition
  | ResetDefinition
  | ZmqOrdersDefinition
  | ListsDefinition
  | EnforcersDefinition
  | UpgradeDefinition;

interface Common {
  readonly name: string;
  /** One sentence: the question that the figures answer. */
  readonly question: string;
  /** The aim, in words. */
  readonly target: string;
  /** How to read the figures, and their weaknesses. */
  readonly analysis: string;
}

/** A file from its first byte to the last decision, without the kernel. */
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
  /** Counts of the whole corpus, so that a changed generator is noticed. */
  readonly expect: { readonly failures: number; readonly banned: number };
}

/** An engine, and the share of the lines that a slow engine gets. */
export interface ScanEngine {
  readonly name: string;
  readonly share?: number;
}

/** A log written at once to a watching daemon, until the last ban is in the kernel. */
export interface FloodDefinition extends Common {
  readonly workload: "flood";
  readonly lines: number;
  readonly attackers: number;
  readonly maxretry: number;
  readonly rivals: readonly FloodRival[];
}

/** Some rivals need minutes: they run once (with --full as often as the others) or with fewer lines. */
export interface FloodRival {
  readonly name: string;
  readonly rounds?: "once";
  readonly share?: number;
}

/** One failure of a new address at a time: from the write to the log until the kernel reports the ban. */
export interface LatencyDefinition extends Common {
  readonly workload: "latency";
  readonly maxretry: number;
  /** Matching lines of other addresses per second. */
  readonly load: number;
  readonly pauseMs: number;
  readonly rivals: readonly { readonly name: string; readonly samples: number }[];
}

/** Resident memory at rest, and with many addresses counted but not banned. */
export interface MemoryDefinition extends Common {
  readonly workload: "memory";
  readonly rivals: readonly { readonly name: string; readonly addresses: number }[];
}

/** From the start of the process to the first ban, and the cost of watching a quiet log. */
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

/** The slowest line that the bench can make, for each filter of the library and for patterns known to be bad. */
export interface WorstLineDefinition extends Common {
  readonly workload: "worst-line";
  readonly lineBytes: number;
  readonly engines: readonly { readonly name: string }[];
}

/** A steady stream of kernel log lines to a daemon with little CPU and memory. */
export interface BudgetDefinition extends Common {
  readonly workload: "budget";
  readonly cpu: number;
  readonly memoryMegabytes: number;
  readonly linesPerSecond: number;
  readonly seconds: number;
  readonly maxretry: number;
  readonly rivals: readonly { readonly name: string }[];
}

/** Requests to nginx and sshd on the machine whose daemon reads a flood of log lines. */
export interface BystandersDefinition extends Common {
  readonly workload: "bystanders";
  readonly linesPerSecond: number;
  readonly seconds: number;
  readonly maxretry: number;
  /** Milliseconds from one request to nginx to the next, and from one connection to sshd to the next. */
  readonly everyMs: { readonly http: number; readonly ssh: number };
  readonly rivals: readonly { readonly name: string }[];
}

/** A SYN flood of forged sources against a service in use. */
export interface PacketFloodDefinition extends Common {
  readonly workload: "packet-flood";
  readonly sources: number;
  /** Packets in all; sources take turns. */
  readonly packets: number;
  /** Packets per second. */
  readonly rate: number;
  readonly maxretry: number;
  /** Connections per second of legitimate clients. */
  readonly visitors: number;
  readonly rivals: readonly { readonly name: string; readonly share?: number }[];
}

/** Packets of forged sources to a daemon with an nflog source, until all sources are banned in the kernel. */
export interface PacketsDefinition extends Common {
  readonly workload: "packets";
  readonly family: "v4" | "v6";
  readonly sources: number;
  /** Packets in all; sources take turns. */
  readonly packets: number;
  /** Packets per second; null for as many as possible. */
  readonly rate: number | null;
  readonly maxretry: number;
}

/** Orders over the API, in batches, until they are in the kernel. */
export interface HttpOrdersDefinition extends Common {
  readonly workload: "http-orders";
  readonly orders: number;
  /** Orders per request. */
  readonly batch: number;
  readonly connections: number;
}

/** Live connections of addresses that are banned at the same time, in the conntrack table of a network namespace. */
export interface ResetDefinition extends Common {
  readonly workload: "reset";
  readonly addresses: number;
  /** Conntrack entries of these addresses in all, and of other addresses, which must stay. */
  readonly entries: number;
  readonly others: number;
  /** An engine, and the share of the addresses that a slow engine bans. */
  readonly engines: readonly { readonly name: "stoplog" | "each" | "conntrack"; readonly share?: number }[];
}

/** Orders over ØMQ until all are in the kernel: at once, one by one, and in Swabber's way. */
export interface ZmqOrdersDefinition extends Common {
  readonly workload: "zmq-orders";
  /** At once. */
  readonly orders: number;
  /** One by one, with this many microseconds between them. */
  readonly paced: number;
  readonly pauseMicros: number;
  /** Orders in Swabber's way: two programs for each. */
  readonly swabbers: number;
}

/** A list of addresses that is loaded into the kernel, replaced and halved while bans continue. */
export interface ListsDefinition extends Common {
  readonly workload: "lists";
  readonly entries: number;
  /** Between one ban and the next. */
  readonly pauseMs: number;
  readonly engines: readonly { readonly name: "stoplog" | "nft" }[];
}

/** Bans of new addresses for each kind of enforcer, in calls of `batch` bans. */
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

/** A daemon with bans, replaced by another while datagrams and packets arrive. */
export interface UpgradeDefinition extends Common {
  readonly workload: "upgrade";
  readonly bans: number;
  /** Datagrams to a syslog source. */
  readonly linesPerSecond: number;
  /** Packets of a banned address. */
  readonly packetsPerSecond: number;
  readonly ways: readonly ("restart" | "takeover")[];
}
