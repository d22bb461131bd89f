import { deserialize } from "node:v8";
import type { ConfigPlace } from "../config/config-place.ts";
import type { Config } from "../config/config.ts";
import type { Reading } from "../config/reading.ts";
import { cannot } from "../core/errors.ts";
import { runProgram } from "../core/run-program.ts";
import { MINUTE } from "../core/time.ts";
import type { CompiledFilter } from "../match/filter/filter.ts";
import { thawFilter } from "../match/filter/frozen-filter.ts";

/** A configuration, and its filters ready for use. */
export interface ReadConfig {
  readonly config: Config | null;
  readonly errors: readonly string[];
  readonly description: readonly string[];
  /** By `filterKey`. */
  readonly filters: ReadonlyMap<string, CompiledFilter>;
}

/**
 * Reads and compiles a configuration in a second process of this program: the code that reads YAML and compiles
 * patterns takes 18 MB, which the daemon would keep for nothing. Resolves to a `Reading` as V8 serializes it; rejects with a StoplogError when
 * that process fails.
 */
export async function readApart(place: ConfigPlace): Promise<Buffer> {
  // Without the flags that keep the daemon small: they make a short process slower.
  const { fact, stdout } = await runProgram([process.execPath, process.argv[1] ?? "", READ_CONFIG], {
    input: JSON.stringify(place),
    mostOutput: MOST_BYTES,
    timeout: PATIENCE,
  });
  if (fact !== null) throw cannot("read the configuration", fact);
  return stdout;
}

export function parseReading(bytes: Buffer): Reading {
  return deserialize(bytes) as Reading;
}

/** Makes the filters usable again: processes exchange them as plain data. */
export async function thaw({ config, errors, description, filters }: Reading): Promise<ReadConfig> {
  const thawed = new Map<string, CompiledFilter>();
  for (const [key, frozen] of filters) thawed.set(key, await thawFilter(frozen));
  return { config, errors, description, filters: thawed };
}

/** The hidden command of the second process. */
const READ_CONFIG = "read-config";

const MOST_BYTES = 64 * 1024 * 1024;
/** A Raspberry Pi under load needs more than half a minute. */
const PATIENCE = 5 * MINUTE;
