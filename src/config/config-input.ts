import { dirname, resolve } from "node:path";
import { filterDirectories, filterPath } from "./filter-path.ts";
import { findOpenFiles } from "./open-files.ts";
import { readText } from "./read-text.ts";

/** A file that a configuration was read from. */
export interface ConfigInput {
  /** What the configuration calls a filter; null for the configuration itself. */
  readonly reference: string | null;
  readonly path: string;
  readonly text: string;
}

/**
 * Whether reading the configuration at `path` again would read the same: each reference still leads to the same file, with the same text, and
 * no other user can change one of them.
 */
export function areCurrent(inputs: readonly ConfigInput[], path: string): boolean {
  const directories = filterDirectories();
  const folder = dirname(resolve(path));
  const isCurrent = (input: ConfigInput): boolean => {
    const found = input.reference === null ? path : filterPath(input.reference, directories, folder);
    if (found !== input.path) return false;
    const read = readText(found);
    return "text" in read && read.text === input.text;
  };
  return (
    inputs.length > 0 &&
    inputs.every(isCurrent) &&
    findOpenFiles(inputs.map((input) => input.path)).length === 0
  );
}
