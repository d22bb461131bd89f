import type { OrderKind } from "../core/order.ts";
import { type Duration, FOREVER, HOUR } from "../core/time.ts";

/** What an origin may order: how far it is trusted. */
export interface OriginRules {
  readonly name: string;
  readonly may: readonly OrderKind[];
  /** Length of a ban whose order names none. */
  readonly bantime: Duration;
  /** Longer bans are shortened to this; FOREVER for no bound. */
  readonly longest: Duration;
  /** Target of a ban whose order names none. */
  readonly target: string;
  /** Wider networks, those with fewer bits, are held for review. */
  readonly widest: { readonly v4: number; readonly v6: number };
  /** Orders a second; more are refused. */
  readonly rate: number;
  /** Orders a minute; more are held. */
  readonly mass: number;
  /** Bans of this origin at the same time; more are refused. */
  readonly bans: number;
  /** Whether it may remove bans that others ordered or jails decided. */
  readonly unbansOthers: boolean;
  /** A person at the control socket: may ban trusted addresses, and an unban also resets what jails have counted. */
  readonly isOperator?: boolean;
}

/** Write access to the control socket is full access. */
export const OPERATOR: OriginRules = {
  name: "operator",
  may: ["ban", "unban", "allow", "unallow"],
  bantime: HOUR,
  longest: FOREVER,
  target: "default",
  widest: { v4: 0, v6: 0 },
  rate: Number.POSITIVE_INFINITY,
  mass: Number.POSITIVE_INFINITY,
  bans: Number.POSITIVE_INFINITY,
  unbansOthers: true,
  isOperator: true,
};
