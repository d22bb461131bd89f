import type { Prefix } from "../core/prefix.ts";

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
