import type { Prefix } from "./prefix.ts";
import type { Instant } from "./time.ts";

/** A banned address or network: where, why, since when and until when. */
export interface Ban {
  readonly prefix: Prefix;
  /** The name of the target that enforces it. */
  readonly target: string;
  /** The jail that decided it, or that the operator named; empty for none. */
  readonly jail: string;
  /** A phrase: '5 failures in 10m'. */
  readonly reason: string;
  readonly since: Instant;
  /** FOREVER for a permanent ban. */
  readonly until: Instant;
  /** 'local', 'operator', 'restored', or the name of the origin that ordered it. */
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
  moved: "its target is not in the configuration: moved to another",
  exempt: "its address must not be banned",
} as const;

/** An entry of the book's numbered feed. */
export type BanChange =
  | { readonly seq: number; readonly kind: "ban"; readonly ban: Ban }
  /** The same ban with a later end. */
  | { readonly seq: number; readonly kind: "prolong"; readonly ban: Ban }
  | { readonly seq: number; readonly kind: "lift"; readonly ban: Ban; readonly by: UnbannedBy };
