import type { Duration } from "../core/time.ts";

/** A notification: what the configuration says of it. */
export type HookOptions = CommonOptions & NotifierOptions;

/** The part that its kind reads; each kind adds its own options. */
export interface NotifierOptions {
  /** The name of its kind. */
  readonly type: string;
  /** A message for each change, without summaries. */
  readonly each: boolean;
}

export interface CommonOptions {
  readonly name: string;
  readonly wanted: Wanted;
  /** The shortest time between two messages; changes meanwhile share the next one. */
  readonly every: Duration;
  /** The changes that a message lists one by one; it counts the rest. */
  readonly most: number;
  /** A message for each change, without summaries. */
  readonly each: boolean;
  /** For one try. */
  readonly timeout: Duration;
}

/** Which changes are sent; null for all. */
export interface Wanted {
  readonly events: readonly EventKind[];
  readonly jails: readonly string[] | null;
  readonly origins: readonly string[] | null;
  readonly targets: readonly string[] | null;
}

export type EventKind = "ban" | "prolong" | "lift";
