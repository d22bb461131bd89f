import { type Stats, statSync } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { packageRoot } from "./package-root.ts";

/** Directories of filters by name: the operator's own first, then the library. */
export function filterDirectories(): readonly string[] {
  return ["/etc/stoplog/filters", join(packageRoot(), "filters")];
}

/**
 * The file of a filter by its name in directories (`NAME.yaml` or `NAME/filter.yaml`), or by a path, which is relative to `folder` and need not
 * exist. Null when no directory has a filter of that name. Without the parser: the daemon asks whether a reading is still current.
 */
export function filterPath(reference: string, directories: readonly string[], folder: string): string | null {
  if (isFilterPath(reference)) {
    const path = isAbsolute(reference) ? reference : resolve(folder, reference);
    return kindOf(path)?.isDirectory() === true ? join(path, "filter.yaml") : path;
  }
  const candidates = directories.flatMap((directory) => [
    join(directory, `${reference}.yaml`),
    join(directory, reference, "filter.yaml"),
  ]);
  return candidates.find(isFile) ?? null;
}

/** A path contains a `/` or ends with .yaml or .yml. */
export function isFilterPath(reference: string): boolean {
  return reference.includes("/") || /\.ya?ml$/.test(reference);
}

export function isFile(path: string): boolean {
  return kindOf(path)?.isFile() === true;
}

/** Null for a missing or inaccessible path. */
function kindOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}
