import type { Instant } from "../../core/time.ts";
import type { Enforced, Enforcement, Refusal } from "../enforcer.ts";

/** Where the bans of one target are held: some sets in the kernel. */
export interface Place {
  readonly target: string;
  /** Each prefix is among the changes once, all of them of this target. A ban's end has not come; what has ended is an unban. */
  apply(changes: readonly Enforcement[], now: Instant): Promise<readonly Refusal[]>;
  /** Begins to make it hold other bans and no more. */
  refill(now: Instant): Promise<Refill>;
  list(now: Instant): Promise<readonly Enforced[]>;
  /** Null, or what somebody took away. */
  missing(now: Instant): Promise<string | null>;
  /** Takes away all that was made. */
  remove(): Promise<void>;
}

/** What a place shall hold, handed over in parts; what is not in them is unbanned at the end. */
export interface Refill {
  take(changes: readonly Enforcement[]): Promise<readonly Refusal[]>;
  finish(): Promise<readonly Refusal[]>;
}
