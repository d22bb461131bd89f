import type { Ban } from "../../core/ban.ts";
import type { Prefix } from "../../core/prefix.ts";
import type { Duration } from "../../core/time.ts";
import type { LogLevel } from "../../observe/log.ts";
import type { BanAnswer, ReloadAnswer, UnbanAnswer } from "../wire.ts";

/** What fail2ban's commands ask of the daemon. A StoplogError is a sentence for the client. */
export interface Fail2banHost {
  /** Of Stoplog. */
  readonly version: string;
  /** The running jails, in the order of the configuration. */
  jails(): readonly JailFacts[];
  /** Jails that a command stopped. */
  stoppedJails(): readonly string[];
  /** Active bans of a jail, unsorted, in parts that take a millisecond or two each. */
  bansOf(jail: string): Iterable<readonly Ban[]>;
  /** Active bans of an address or network, and of the networks around it. */
  bansOn(prefix: Prefix): readonly Ban[];
  ban(addresses: readonly string[], jail: string): Promise<BanAnswer>;
  /** The bans of one jail, or with null all bans. */
  unban(addresses: readonly string[], jail: string | null): Promise<UnbanAnswer>;
  /** Resolves to the number of bans that ended. */
  unbanAll(jail: string | null): Promise<number>;
  /** Changes a jail until the next reload. */
  change(jail: string, change: JailChange): Promise<void>;
  /** Reads the configuration again; every change is forgotten. */
  reload(): Promise<ReloadAnswer>;
  readonly log: { level: LogLevel; readonly target: string };
}

/** A jail, with the words of fail2ban. */
export interface JailFacts {
  readonly name: string;
  readonly maxretry: number;
  readonly findtime: Duration;
  readonly bantime: Duration;
  /** How later bans grow; null when they do not. */
  readonly growth: {
    readonly factor: number;
    readonly multipliers: readonly number[] | null;
    readonly maxtime: Duration | null;
    readonly rndtime: Duration;
    readonly overalljails: boolean;
  } | null;
  readonly failregex: readonly string[];
  readonly ignoreregex: readonly string[];
  readonly prefregex: string;
  readonly datepattern: string | null;
  readonly usedns: boolean;
  /** With the networks that no jail bans. */
  readonly ignoreip: readonly Prefix[];
  readonly ignoreSelf: boolean;
  /** Log files, as the configuration names them. */
  readonly files: readonly string[];
  /** The matches of each journal source; none when it reads no journal. */
  readonly journal: readonly (readonly string[])[];
  readonly targets: readonly string[];
  readonly currentlyFailed: number;
  readonly totalFailed: number;
  readonly currentlyBanned: number;
  readonly totalBanned: number;
}

/** What `set JAIL`, `start` and `stop` change. */
export interface JailChange {
  readonly maxretry?: number;
  readonly findtime?: Duration;
  readonly bantime?: Duration;
  readonly ignoreSelf?: boolean;
  readonly ignore?: readonly Prefix[];
  readonly unignore?: Prefix;
  readonly isStopped?: boolean;
}
