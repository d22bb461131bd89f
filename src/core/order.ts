import type { Prefix } from "./prefix.ts";
import type { Duration, Instant } from "./time.ts";

/** `unallow` takes an `allow` back. */
export type OrderKind = "ban" | "unban" | "allow" | "unallow";

/** What an origin orders. Its name comes from the door the order came through, never from the order itself. */
export interface Order {
  readonly kind: OrderKind;
  readonly prefix: Prefix;
  /** Null for the origin's default; ignored by an unban and an unallow. */
  readonly duration: Duration | null;
  /** When the ban ends, in place of `duration`. */
  readonly until?: Instant;
  /** Null for the origin's default; for an unban, every target. */
  readonly target: string | null;
  /** The jail that the ban is listed under, or whose bans an unban ends; only the operator names one. */
  readonly jail?: string;
  /** How often the address was banned, this ban included: what the jail remembers. Only the operator says it. */
  readonly times?: number;
  /** Also for an address from which a user is logged in; only the operator says so. */
  readonly force?: boolean;
  /** A phrase for people, printable; may be empty. */
  readonly reason: string;
  /** The origin's own number, by which a repeated order is recognised; null without one. */
  readonly id: string | null;
}

/** Orders as they arrived; a text says why a message was not an order. */
export interface OrderBatch {
  readonly orders: readonly (Order | string)[];
}

/** Takes a batch. Never throws. */
export type OrderSink = (batch: OrderBatch) => void;
