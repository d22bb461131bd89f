import type { StatusReply } from "../api/wire.ts";
import type { Config } from "../config/config.ts";
import type { Instant } from "../core/time.ts";
import type { Trouble } from "../core/trouble.ts";
import type { CompiledFilter } from "../match/filter/filter.ts";

/**
 * A part of the daemon that follows the configuration. `compose.ts` lists all features in the order of the flow; `Features` starts them in that
 * order and closes them in reverse.
 *
 *      prepare ─► follow ─► tick, tick, … ─► follow (reload) ─► tick, … ─► close
 */
export interface Feature {
  /** For the log: `Cannot close NAME: …`. */
  readonly name: string;
  /** Without it nothing can be protected: a daemon whose essential feature cannot start ends. Any other one is started again and again. */
  readonly isEssential?: boolean;
  /** Called once, before the first feature starts: notes what is there at that moment. Must not reject. */
  prepare?(first: Settings): Promise<void> | void;
  /**
   * Moves to a configuration. What does not change keeps running. Rejects with a StoplogError when that is impossible; the feature may then be
   * between two configurations.
   */
  follow?(next: Settings, move: Move): Promise<void> | void;
  /** Once a second, from the daemon's only interval. */
  tick?(now: Instant): void;
  /** This feature's keys of the status. */
  status?(now: Instant): StatusFragment;
  /**
   * What is configured and does not work now. The daemon puts the sentences into the status, says the beginning and the end of each in the log,
   * and is `degraded` as long as there is one.
   */
  troubles?(now: Instant): Iterable<Trouble>;
  /** Advice and losses, as sentences for the status. Troubles are not repeated here. */
  warnings?(now: Instant): Iterable<string>;
  /** Called once, also after a `follow` that rejected. Features later in the flow are closed already. */
  close?(options: CloseOptions): Promise<void> | void;
}

/**
 * - `start`: the first call, and each further one until a call succeeds. What cannot work is in trouble, and the rest of the feature works.
 * - `reload`: a feature rejects what the new configuration asks for and is impossible. What is in trouble and unchanged stays so.
 * - `rollback`: back to the configuration before a reload that another feature, or this one, refused.
 */
export type Move = "start" | "reload" | "rollback";

/** What a feature follows: a checked configuration and its compiled filters. */
export interface Settings {
  readonly config: Config;
  /** By `filterKey`. */
  readonly filters: ReadonlyMap<string, CompiledFilter>;
}

export interface CloseOptions {
  /** Whether bans are removed from the kernel. */
  readonly flush: boolean;
  /** False after a start that failed: saved state that was never read must not be overwritten. */
  readonly started: boolean;
}

export type StatusFragment = Partial<Omit<StatusReply, "state" | "troubles" | "warnings">>;
