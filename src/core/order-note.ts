import type { Prefix } from "./prefix.ts";
import type { Instant } from "./time.ts";

/** An order to allow: no jail bans addresses in the network before `until`. */
export interface Allowed {
  readonly prefix: Prefix;
  readonly since: Instant;
  readonly until: Instant;
  readonly origin: string;
}

/** An order to allow that was taken back at this time. */
export interface Unallowed {
  readonly prefix: Prefix;
  readonly at: Instant;
}

/** What an order did apart from the bans, and what must survive a crash. `reset`: an unban that only reset the counters of an address. */
export type OrderNote =
  | ({ readonly kind: "allow" } & Allowed)
  | ({ readonly kind: "unallow" } & Unallowed)
  | ({ readonly kind: "reset" } & Unallowed);
