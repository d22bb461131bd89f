import type { Filled, Section, Written } from "../schema/section.ts";
import type { TargetConfig } from "./config.ts";
import type { FilterReading } from "./filters.ts";
import type { jailSchema } from "./jails.ts";
import type { SourceConfig } from "./sources.ts";

/** A jail while it is read: its keys, those of the defaults for all jails, and what both may refer to. */
export interface JailParts {
  readonly name: string;
  readonly section: Section;
  /** The jail's own keys. */
  readonly own: WrittenJail;
  readonly defaults: JailDefaults;
  /** The jail's keys, else those of `defaults`. */
  readonly given: WrittenJail;
  /** The same, else the schema's defaults. */
  readonly values: Filled<typeof jailSchema>;
  readonly known: Known;
}

export type WrittenJail = Written<typeof jailSchema>;

/** The section `defaults`. */
export interface JailDefaults {
  readonly section: Section;
  readonly written: WrittenJail;
}

/** What jails may refer to. */
export interface Known {
  /** Null for a source with errors. */
  readonly sources: ReadonlyMap<string, SourceConfig | null>;
  readonly targets: ReadonlyMap<string, TargetConfig>;
  readonly findFilter: (reference: string) => FilterFound;
  /** Sentences that are not errors are added here. */
  readonly notes: string[];
  /** Whether the top-level `ignoreip` has `self`. */
  readonly ignoreSelf: boolean;
}

/** The result of looking up a filter by its name or path. */
export type FilterFound =
  | ({ readonly kind: "read" } & FilterReading)
  | { readonly kind: "missing"; readonly known: readonly string[] }
  | { readonly kind: "unreadable"; readonly fact: string };
