import { dirname, resolve } from "node:path";
import type { ConfigInput } from "./config-input.ts";
import { filterDirectories } from "./filter-path.ts";
import { findFilter } from "./find-filter.ts";
import { findOpenFiles, refusalsOf, warningsOf } from "./open-files.ts";
import { type ConfigReading, readConfig, type ReadOptions } from "./read-config.ts";
import { readText } from "./read-text.ts";
import { defaultStateDirectory } from "./state-directory.ts";

export interface LoadOptions {
  /** Directories of filters by name. */
  readonly filters?: readonly string[];
  readonly isRoot?: boolean;
  /** Whether files that other users can change are taken, with a warning. Unless given: not by root. */
  readonly trusting?: boolean;
}

/**
 * Reads a configuration and the filters that it names. Returns all errors at once, as sentences. Root takes no files that other users can change:
 * a configuration has commands. Another user is warned of them.
 */
export function loadConfig(path: string, options: LoadOptions = {}): ConfigReading {
  const read = readText(path);
  if ("fact" in read) return { config: null, errors: [`Cannot read ${path}: ${read.fact}`] };
  const own = [{ reference: null, path, text: read.text }];
  return loadText({ text: read.text, path, files: [path], own }, options);
}

/** The text of a configuration, as it stands in a file or made of others. */
export interface LoadedText extends Pick<ReadOptions, "placeOf"> {
  readonly text: string;
  /** Relative paths begin in its folder. */
  readonly path: string;
  /** The files that were read for it. */
  readonly files: Iterable<string>;
  /** The texts that it depends on, apart from filters; absent when it depends on more. */
  readonly own?: readonly ConfigInput[];
}

/** `loadConfig` for a text that was read already. */
export function loadText(
  { text, path, files, own, ...more }: LoadedText,
  options: LoadOptions = {},
): ConfigReading {
  const directories = options.filters ?? filterDirectories();
  const isRoot = options.isRoot ?? process.geteuid?.() === 0;
  const paths = new Set([...files].map((file) => resolve(file)));
  const inputs = own === undefined ? null : [...own];
  const { config, errors } = readConfig(text, path, {
    ...more,
    readFilter: (reference) => {
      const file = findFilter(reference, directories, dirname(resolve(path)));
      if (file.kind === "found") {
        paths.add(file.path);
        inputs?.push({ reference, path: file.path, text: file.text });
      }
      return file;
    },
    stateDirectory: defaultStateDirectory(isRoot),
  });
  for (const { secretFile } of config?.api?.tokens ?? []) if (secretFile !== null) paths.add(secretFile);
  const openFiles = findOpenFiles(paths);
  const isTrusting = options.trusting ?? !isRoot;
  const refusals = isTrusting ? [] : refusalsOf(openFiles);
  if (config === null || refusals.length > 0)
    return { config: null, errors: [...refusals, ...errors], openFiles };
  // Of a secret only the hash is in the configuration, and a warning may be outdated by the next start.
  const isWhole =
    openFiles.length === 0 && (config.api?.tokens ?? []).every(({ secretFile }) => secretFile === null);
  return {
    config: { ...config, notes: [...config.notes, ...warningsOf(openFiles)] },
    errors,
    openFiles,
    inputs: isWhole ? inputs : null,
  };
}
