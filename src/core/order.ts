import type { Prefix } from "./prefix.ts";
import type { Duration } from "./time.ts";

export type OrderKind = "ban" | "unban" | "allow";

/** What a detector elsewhere wants done. Who he is says the door it came through, never he himself. */
export interface Order {
  readonly kind: OrderKind;
  readonly prefix: Prefix;
  /** For how long; null leaves it to the origin's rules. Means nothing to an unban. */
  readonly duration: Duration | null;
  /** Null for the origin's own. */
  readonly target: string | null;
  /** A phrase for people; may be empty. */
  readonly reason: string;
  /** The same order twice, by its origin's word; null when it does not number them. */
  readonly id: string | null;
}

/** Some orders as they came; a text says why something that came was none. */
export interface OrderBatch {
  readonly orders: readonly (Order | string)[];
}

/** Takes a batch. Never throws. */
export type OrderSink = (batch: OrderBatch) => void;
