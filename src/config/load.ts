import { dirname, resolve } from "node:path";
import { filterDirectories, findFilter } from "./find-filter.ts";
import { type ConfigReading, readConfig } from "./read-config.ts";
import { readText } from "./read-text.ts";

export interface LoadOptions {
  /** Directories of filters by name. */
  readonly filters?: readonly string[];
  readonly isRoot?: boolean;
}

/** The default state directory. */
export const STATE_DIRECTORY = "/var/lib/stoplog";

/** Reads a configuration and the filters that it names. Returns all errors at once, as sentences. */
export function loadConfig(path: string, options: LoadOptions = {}): ConfigReading {
  const read = readText(path);
  if ("fact" in read) return { config: null, errors: [`Cannot read ${path}: ${read.fact}`] };
  const directories = options.filters ?? filterDirectories();
  const isRoot = options.isRoot ?? process.geteuid?.() === 0;
  return readConfig(read.text, path, {
    readFilter: (reference) => findFilter(reference, directories, dirname(resolve(path))),
    stateDirectory: isRoot ? STATE_DIRECTORY : null,
  });
}
