import type { Prefix } from "./prefix.ts";
import type { Instant } from "./time.ts";

/** Who is kept out, where, why, since when and until when. */
export interface Ban {
  readonly prefix: Prefix;
  /** The target's name: where and how it is enforced. */
  readonly target: string;
  /** The jail that decided it, or the one an operator named; empty for none. */
  readonly jail: string;
  /** A phrase: '5 failures in 10m'. */
  readonly reason: string;
  readonly since: Instant;
  /** FOREVER for a ban without end. */
  readonly until: Instant;
  /** Who ordered it: 'local', 'operator', 'restored', or the name of a peer or feed. */
  readonly origin: string;
}

/** The reason of a ban that the kernel made and the daemon took over: it held before the book had it. */
export const KERNEL_REASON = "kernel";

/** Why a ban ended. */
export type UnbannedBy = keyof typeof UNBANNED_BY;

/** Why a ban ended, as a phrase. */
export const UNBANNED_BY = {
  expiry: "expired",
  operator: "by hand",
  good: "logged in successfully",
  origin: "its origin ended it",
  full: "the book is full",
} as const;

/** One entry of the book's numbered feed. */
export type BanChange =
  | { readonly seq: number; readonly kind: "ban"; readonly ban: Ban }
  /** The same ban with another end. */
  | { readonly seq: number; readonly kind: "prolong"; readonly ban: Ban }
  | { readonly seq: number; readonly kind: "lift"; readonly ban: Ban; readonly by: UnbannedBy };
