import type { Ban } from "./ban.ts";

/** What a jail makes of a failure. The reason is the word that log, metrics, API and tests share. */
export type Decision =
  | { readonly kind: "ignored"; readonly reason: IgnoreReason }
  | { readonly kind: "counted"; readonly reason: "counted"; readonly seen: number; readonly needed: number }
  | { readonly kind: "ban"; readonly reason: "threshold" | "repeat offender"; readonly ban: Ban };

export type IgnoreReason =
  /** In `ignoreip`, of the jail or of all. */
  | "allow-listed"
  /** Whoever has shown just now that he belongs here. */
  | "trusted"
  /** One of this machine's own addresses or its gateway. */
  | "own address"
  | "already banned"
  /** Older than `findtime`. */
  | "stale";
