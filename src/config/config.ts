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
import type { LimitsConfig } from "./limits.ts";
import type { ListenAddress } from "./listen-address.ts";
import type { LogConfig } from "./log.ts";
import type { SourceConfig } from "./sources.ts";

export type { ApiConfig, LimitsConfig, LogConfig, SourceConfig };

/** A whole configuration, checked: what the daemon is built from. Made by `loadConfig` and `builtInConfig`. */
export interface Config {
  /** The file it came from, or null for the built-in one. */
  readonly path: string | null;
  readonly sources: ReadonlyMap<string, SourceConfig>;
  readonly targets: readonly TargetConfig[];
  readonly jails: readonly JailConfig[];
  /** Null when it is not offered. */
  readonly api: ApiConfig | null;
  /** The listener for metrics, on loopback; null for none. */
  readonly metrics: ListenAddress | null;
  /** Whose orders are taken, and how far. */
  readonly origins: readonly OriginRules[];
  /** In the order in which the kernel asks them. */
  readonly lists: readonly ListConfig[];
  /** Who is told of the bans. */
  readonly publishers: readonly PublisherOptions[];
  /** Who is told of bans. */
  readonly notify: readonly HookOptions[];
  /** For all jails. */
  readonly ignoreip: readonly Prefix[];
  /** Whether this machine's own addresses and its gateways are never banned. */
  readonly ignoreSelf: boolean;
  readonly limits: LimitsConfig;
  /** Where bans, counters and read positions survive a restart; null for nowhere. */
  readonly stateDirectory: string | null;
  readonly log: LogConfig;
  /** What is no error but ought to be known, as sentences. */
  readonly notes: readonly string[];
}

export interface TargetConfig {
  readonly name: string;
  /** For jails that do not say for how long; null when the target does not say either. */
  readonly bantime: Duration | null;
  /** Whether open connections of the banned are cut. */
  readonly resetConnections: boolean;
  /** Where its bans hold, all at once; each has the target's name. */
  readonly enforcers: readonly TargetSpec[];
}

export interface JailConfig extends JailOptions {
  readonly sources: readonly string[];
  /** What it looks for in lines; null for a jail that counts packets. */
  readonly filter: FilterDefinition | null;
  /** Which packets it counts; left out for a jail that reads lines. */
  readonly packets?: PacketSelection | undefined;
  /** Set when the kernel counts them by itself. */
  readonly offload?: Offload | undefined;
  /** For this jail, beside those for all. */
  readonly ignoreip: readonly Prefix[];
  /** Whether this jail leaves this machine's own addresses and gateways alone. */
  readonly ignoreSelf: boolean;
  /** Whether a name in the host's place is looked up. */
  readonly usedns: boolean;
  /** What a good line does besides forgetting what was counted: nothing, or freeing the address everywhere. */
  readonly onGood: "forget" | "unban";
  /** For how long after a good line no jail bans the address; 0 for not at all. */
  readonly trustFor: Duration;
  /** Jails with the same word here count an address's failures together; null for a jail that counts for itself. */
  readonly countWith: string | null;
}

/** What a jail asks of the kernel beside its `packets`. */
export interface Offload {
  /** Only the first packet of each connection counts. */
  readonly opening: boolean;
  /** More connections than this at the same time are too many; null for `maxretry` packets within `findtime`. */
  readonly connlimit: number | null;
}
