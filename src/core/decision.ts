import type { Ban } from "./ban.ts";

/** The result of a failure in a jail. Log, metrics, API and tests use the same word for the reason. */
export type Decision =
  | { readonly kind: "ignored"; readonly reason: IgnoreReason }
  | { readonly kind: "counted"; readonly reason: "counted"; readonly seen: number; readonly needed: number }
  | { readonly kind: "ban"; readonly reason: "threshold" | "repeat offender"; readonly ban: Ban };

export type IgnoreReason =
  /** In `ignoreip`, of the jail or of all jails. */
  | "allow-listed"
  /** Logged in successfully a short time ago. */
  | "trusted"
  /** An address of this machine, or its gateway. */
  | "own address"
  /** Unspecified, broadcast, multicast or link-local: no packet of a client comes from it. */
  | "impossible address"
  /** A user is logged in from it. */
  | "live session"
  | "already banned"
  /** Banned, but the enforcer refused the ban: its set is full. Packets of the address pass. */
  | "not enforced"
  /** Older than `findtime`. */
  | "stale";
