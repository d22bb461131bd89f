import type { Prefix } from "../core/prefix.ts";
import type { Duration } from "../core/time.ts";

/** Addresses of `ignoreip` that are not in the configuration itself. */
export type IgnoreFrom =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "file"; readonly path: string };

/** An entry of `ignoreip`. */
export type Ignored = Prefix | IgnoreFrom | "self";

export function ignoredPrefixes(entries: readonly Ignored[]): readonly Prefix[] {
  return entries.filter((entry) => entry !== "self").filter((entry) => "address" in entry);
}

/** The names and files among the entries; no key when there are none. */
export function ignoredFrom(entries: readonly Ignored[]): { readonly ignoreFrom?: readonly IgnoreFrom[] } {
  const ignoreFrom = entries.filter((entry) => entry !== "self").filter((entry) => "kind" in entry);
  return ignoreFrom.length === 0 ? {} : { ignoreFrom };
}

/** As it is written in the configuration. */
export function ignoreText(from: IgnoreFrom): string {
  return from.kind === "name" ? from.name : `file:${from.path}`;
}

/** A program that decides which addresses a jail never bans. */
export interface IgnoreCommandConfig {
  readonly argv: readonly string[];
  /** How long an answer is used. */
  readonly remember: Duration;
}

/** No key without a command. */
export function ignoreCommandOf(
  argv: readonly string[] | undefined,
  remember: Duration,
): { readonly ignoreCommand?: IgnoreCommandConfig } {
  return argv === undefined ? {} : { ignoreCommand: { argv, remember } };
}
