import type { Prefix } from "../core/prefix.ts";
import type { TargetSpec } from "../enforce/enforcer.ts";
import type { Duration } from "../core/time.ts";
import type { OriginRules } from "../orders/origin-rules.ts";
import type { JailOptions } from "../jail/options.ts";
import type { FilterDefinition } from "../match/filter/filter.ts";
import type { HookOptions } from "../notify/options.ts";
import type { PacketSelection } from "../match/packet/selector.ts";
import type { PublisherOptions } from "../bus/publish/zmq-publisher.ts";
import type { ListConfig } from "../lists/lists.ts";
import type { ApiConfig } from "./api.ts";
import type { IgnoreCommandConfig, IgnoreFrom } from "./ignoreip.ts";
import type { LimitsConfig } from "./limits.ts";
import type { ListenAddress } from "./listen-address.ts";
import type { LogConfig } from "./log.ts";
import type { SourceConfig } from "./sources.ts";

export type { ApiConfig, LimitsConfig, LogConfig, SourceConfig };

/** fail2ban's folder that the jails come from, and what works differently here: a sentence each. */
export interface ImportedFrom {
  readonly folder: string;
  readonly differences: readonly string[];
}

/** A checked configuration, from `loadConfig` or `builtInConfig`. */
export interface Config {
  /** Its file; null for the built-in configuration. */
  readonly path: string | null;
  /** What was converted from another program's configuration when this one was read. */
  readonly imported?: ImportedFrom;
  readonly sources: ReadonlyMap<string, SourceConfig>;
  readonly targets: readonly TargetConfig[];
  readonly jails: readonly JailConfig[];
  /** The API over TCP; null for none. */
  readonly api: ApiConfig | null;
  /** The socket that speaks fail2ban's protocol; null for none. */
  readonly fail2banSocket: string | null;
  /** The listener for metrics, on loopback; null for none. */
  readonly metrics: ListenAddress | null;
  /** The senders of orders, and how far each is trusted. */
  readonly origins: readonly OriginRules[];
  /** In the order in which the kernel checks them. */
  readonly lists: readonly ListConfig[];
  /** Where bans are published over ØMQ. */
  readonly publishers: readonly PublisherOptions[];
  /** Where notifications of bans are sent. */
  readonly notify: readonly HookOptions[];
  /** For all jails. */
  readonly ignoreip: readonly Prefix[];
  /** The names and files of `ignoreip`. */
  readonly ignoreFrom?: readonly IgnoreFrom[];
  /** Whether this machine's own addresses and its gateways are never banned. */
  readonly ignoreSelf: boolean;
  /** Whether addresses from which a user is logged in are not banned. */
  readonly spareSessions: boolean;
  readonly limits: LimitsConfig;
  /** The directory that keeps bans, counters and read positions over a restart; null for none. */
  readonly stateDirectory: string | null;
  readonly log: LogConfig;
  /** Warnings, as sentences. */
  readonly notes: readonly string[];
}

export interface TargetConfig {
  readonly name: string;
  /** For jails without a bantime; null when the target has none either. */
  readonly bantime: Duration | null;
  /** Whether a ban closes open connections of the address. */
  readonly resetConnections: boolean;
  /** All hold the target's bans; each has the target's name. */
  readonly enforcers: readonly TargetSpec[];
}

export interface JailConfig extends JailOptions {
  readonly sources: readonly string[];
  /** What it looks for in lines; null for a jail that counts packets. */
  readonly filter: FilterDefinition | null;
  /** Which packets it counts; undefined for a jail that reads lines. */
  readonly packets?: PacketSelection | undefined;
  /** Set when the kernel counts the packets. */
  readonly offload?: Offload | undefined;
  /** In addition to the top-level `ignoreip`. */
  readonly ignoreip: readonly Prefix[];
  /** The names and files of its `ignoreip`. */
  readonly ignoreFrom?: readonly IgnoreFrom[];
  /** Decides which other addresses it never bans. */
  readonly ignoreCommand?: IgnoreCommandConfig;
  /** Whether it never bans this machine's own addresses and gateways. */
  readonly ignoreSelf: boolean;
  /** Whether a host name in the place of an address is resolved. */
  readonly usedns: boolean;
  /** What a `goodregex` line does: forget the address's failures, or also unban it at every target. */
  readonly onGood: "forget" | "unban";
  /** How often in `findtime` a good line forgives an address; `once` unless set. */
  readonly forgive?: "once" | "always" | undefined;
  /** How long no jail bans the address after a `goodregex` line; 0 for not at all. */
  readonly trustFor: Duration;
  /** Jails with the same name here share their count; null for a count of its own. */
  readonly countWith: string | null;
}

/** What the kernel counts for a jail, besides its `packets`. */
export interface Offload {
  /** Only the first packet of each connection counts. */
  readonly opening: boolean;
  /** The most concurrent connections; null to count `maxretry` packets within `findtime`. */
  readonly connlimit: number | null;
}
