import { readdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { filterDirectories, filterPath, isFile, isFilterPath } from "./filter-path.ts";
import { type FilterReading, readFilterText } from "./filters.ts";
import { missing } from "../schema/missing.ts";
import type { FilterFile } from "./read-config.ts";
import { readText } from "./read-text.ts";
import { NAME } from "../schema/values.ts";
import { shorten } from "../schema/shorten.ts";

/**
 * Finds a filter by its name in directories (`NAME.yaml` or `NAME/filter.yaml`), or by a path, which contains a `/` or ends with .yaml or
 * .yml and is relative to `folder`.
 */
export function findFilter(
  reference: string,
  directories: readonly string[] = filterDirectories(),
  folder: string = process.cwd(),
): FilterFile {
  const path =
    isFilterPath(reference) || NAME.test(reference) ? filterPath(reference, directories, folder) : null;
  return path === null ? { kind: "missing", known: filterNames(directories) } : readFilterFile(path);
}

/** A filter for `stoplog test`, by name or path. Never throws, whatever the file contains. */
export function loadFilterFile(
  reference: string,
  directories: readonly string[] = filterDirectories(),
):
  | FilterReading
  | { readonly definition: null; readonly errors: readonly string[]; readonly notes: readonly string[] } {
  const file = findFilter(reference, directories);
  switch (file.kind) {
    case "found":
      return readFilterText(file.text, file.path, file.name);
    case "unreadable":
      return refused(`Cannot read filter ${shorten(reference)}: ${file.fact}`);
    case "missing":
      return refused(`Cannot use filter ${shorten(reference)}: ${missing("filter", reference, file.known)}`);
  }
}

/** The names of all filters in some directories. */
export function filterNames(directories: readonly string[] = filterDirectories()): readonly string[] {
  return [...new Set(directories.flatMap(namesIn))].toSorted();
}

function refused(sentence: string) {
  return { definition: null, errors: [sentence], notes: [] };
}

function readFilterFile(path: string): FilterFile {
  const read = readText(path);
  if ("fact" in read) return { kind: "unreadable", fact: read.fact };
  return { kind: "found", name: nameOf(path), path, text: read.text };
}

/** `/x/sshd/filter.yaml` and `/x/sshd.yaml` are sshd. */
function nameOf(path: string): string {
  const file = basename(path).replace(/\.ya?ml$/, "");
  return file === "filter" ? basename(resolve(path, "..")) : file;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
      if (isFile(join(directory, entry.name, "filter.yaml"))) return [entry.name];
      return entry.name.endsWith(".yaml") ? [entry.name.slice(0, -".yaml".length)] : [];
    });
  } catch {
    return []; // a missing directory has no filters
  }
}
