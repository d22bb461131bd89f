import { deserialize } from "node:v8";
import type { ConfigPlace } from "../config/config-place.ts";
import type { Config } from "../config/config.ts";
import type { Reading } from "../config/reading.ts";
import { cannot } from "../core/errors.ts";
import { runProgram } from "../core/run-program.ts";
import { SECOND } from "../core/time.ts";
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
 * patterns takes 18 MB, which the daemon would keep for nothing. Rejects with a StoplogError when that process fails.
 */
export async function readApart(place: ConfigPlace): Promise<ReadConfig> {
  const reader = waiting ?? startReader();
  waiting = null;
  return thaw(deserialize(await reader.ask(JSON.stringify(place))) as Reading);
}

/** Makes the filters usable again: processes exchange them as plain data. */
export async function thaw({ filters, ...reading }: Reading): Promise<ReadConfig> {
  const thawed = new Map<string, CompiledFilter>();
  for (const [key, frozen] of filters) thawed.set(key, await thawFilter(frozen));
  return { ...reading, filters: thawed };
}

/** Starts the second process before its place is known: it loads its program while this process loads its own. */
export function prepareReader(): void {
  waiting ??= startReader();
}

/** The hidden command of the second process. */
const READ_CONFIG = "read-config";

interface Reader {
  ask(place: string): Promise<Buffer>;
}

let waiting: Reader | null = null;

const MOST_BYTES = 64 * 1024 * 1024;
const PATIENCE = 30 * SECOND;

function startReader(): Reader {
  let ask: (place: string) => void = () => undefined;
  const asked = new Promise<string>((resolve) => (ask = resolve));
  // Without the flags that keep the daemon small: they make a short process slower.
  const ended = runProgram([process.execPath, process.argv[1] ?? "", READ_CONFIG], {
    input: (async function* () {
      yield await asked;
    })(),
    mostOutput: MOST_BYTES,
    timeout: PATIENCE,
  });
  return {
    async ask(place) {
      ask(place);
      const { fact, stdout } = await ended;
      if (fact !== null) throw cannot("read the configuration", fact);
      return stdout;
    },
  };
}
