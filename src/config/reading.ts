import { compileFilter } from "../match/filter/filter.ts";
import { type FrozenFilter, freezeFilter } from "../match/filter/frozen-filter.ts";
import { LOSS_FILTER } from "../match/loss.ts";
import type { Config } from "./config.ts";
import type { ConfigInput } from "./config-input.ts";
import { describeConfig } from "./describe.ts";
import { filterKey } from "./filter-key.ts";
import type { ConfigReading } from "./read-config.ts";

/** Everything that the daemon needs of a configuration, as plain data: another process sends it. */
export interface Reading {
  /** Null when there are errors. */
  readonly config: Config | null;
  readonly errors: readonly string[];
  /** A description of the configuration, for the log. */
  readonly description: readonly string[];
  /** The jails' filters and LOSS_FILTER, compiled, by `filterKey`. */
  readonly filters: ReadonlyMap<string, FrozenFilter>;
  /** The files that it depends on; null when it depends on more. */
  readonly inputs: readonly ConfigInput[] | null;
}

/** Compiles the filters of a configuration that was read. */
export function readWhole({ config, errors, inputs = null }: ConfigReading): Reading {
  if (config === null) return { config, errors, description: [], filters: new Map(), inputs: null };
  const filters = new Map<string, FrozenFilter>();
  for (const filter of [...config.jails.flatMap((jail) => jail.filter ?? []), LOSS_FILTER]) {
    const key = filterKey(filter);
    const compiled = filters.has(key) ? null : compileFilter(filter).filter;
    if (compiled !== null) filters.set(key, freezeFilter(compiled, filter.datepattern));
  }
  return { config, errors, description: describeConfig(config), filters, inputs };
}
