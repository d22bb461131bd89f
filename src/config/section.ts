import type { TargetConfig } from "./config.ts";
import type { FilterReading } from "./filter-text.ts";
import type { jailSchema } from "./jail-schema.ts";
import { didYouMean, type Where, type Written } from "./read-object.ts";
import { shorten, type Tree } from "./yaml-tree.ts";

export type WrittenJail = Written<typeof jailSchema>;

/** What a name or path of a filter leads to. */
export type FilterFound =
  | ({ readonly kind: "read" } & FilterReading)
  | { readonly kind: "missing"; readonly known: readonly string[] }
  | { readonly kind: "unreadable"; readonly fact: string };

/** What jails may refer to. */
export interface Known {
  readonly sources: readonly string[];
  /** What a source gives; those in which something is wrong are missing. */
  readonly gives: ReadonlyMap<string, "lines" | "packets" | "orders">;
  /** Sources whose rules Stoplog makes. */
  readonly installed: ReadonlySet<string>;
  readonly targets: ReadonlyMap<string, TargetConfig>;
  readonly findFilter: (reference: string) => FilterFound;
  readonly notes: string[];
  /** `self` in the ignoreip of all. */
  readonly ignoreSelf: boolean;
}

/** Some keys as they stand in the file: a jail, or the defaults for all. */
export interface Section {
  readonly tree: Tree | null;
  readonly written: WrittenJail;
  readonly where: Where;
  /** Whether something in it was wrong, and told. */
  readonly failed: boolean;
}

/** `source mail does not exist (did you mean mail2?); there are auth, mail2`. */
export function missing(kind: string, name: string, names: readonly string[]): string {
  return `${kind} ${shorten(name)} does not exist${didYouMean(name, names)}${listed("there are", names)}`;
}

/** `; there are auth, mail2`, or that there is none. */
export function listed(words: string, names: readonly string[]): string {
  if (names.length === 0) return "; there is none";
  const most = 30;
  const more = names.length > most ? ` and ${names.length - most} more` : "";
  return `; ${words} ${names.slice(0, most).toSorted().join(", ")}${more}`;
}
