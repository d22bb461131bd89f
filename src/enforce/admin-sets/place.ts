import type { Instant } from "../../core/time.ts";
import type { Enforced, Enforcement, Refusal } from "../enforcer.ts";

/** Holds the bans of one target, in one or more sets in the kernel. */
export interface Place {
  readonly target: string;
  /** Applies changes of this target. Each prefix occurs once, and no ban has expired. */
  apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]>;
  /** Begins to replace all bans. */
  reload(now: Instant): Promise<Reload>;
  list(now: Instant): Promise<readonly Enforced[]>;
  /** What another program deleted, as a phrase; null for nothing. */
  missing(now: Instant): Promise<string | null>;
  /** The number of elements, others' included, where that costs far less than `list`. */
  count?(): Promise<number>;
  /** Deletes everything that was made. */
  remove(): Promise<void>;
}

/** All bans of a place, passed in parts; at the end, every other ban is removed. */
export interface Reload {
  take(changes: readonly Enforcement[]): Promise<readonly Refusal[]>;
  finish(): Promise<readonly Refusal[]>;
}
