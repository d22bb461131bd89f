import type { OrderKind } from "../core/order.ts";
import type { Duration } from "../core/time.ts";

/** What somebody elsewhere may order: how far we trust him. */
export interface OriginRules {
  readonly name: string;
  readonly may: readonly OrderKind[];
  /** How long a ban lasts when the order does not say. */
  readonly bantime: Duration;
  /** Longer ones are shortened to it; FOREVER for no bound. */
  readonly longest: Duration;
  /** The target when the order names none. */
  readonly target: string;
  /** Networks with fewer bits are held until somebody has looked at them. */
  readonly widest: { readonly v4: number; readonly v6: number };
  /** Orders a second; what is beyond is refused. */
  readonly rate: number;
  /** Orders a minute; what is beyond is held. */
  readonly mass: number;
  /** Bans of his that stand at the same time; beyond, more are refused. */
  readonly bans: number;
  /** Whether he may lift what others have banned. */
  readonly liftsOthers: boolean;
}
