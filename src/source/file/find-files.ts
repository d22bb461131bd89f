import { readdirSync, statSync, type Dirent } from "node:fs";
import { factOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Glob, GlobPart } from "./glob.ts";

/** What the globs match now. */
export interface Findings {
  /** Existing paths, sorted. Not only files: anything with a matching name. */
  readonly paths: readonly string[];
  /** Folders in which another match could appear: the folder of each pattern, or its nearest existing parent. */
  readonly folders: readonly string[];
  /** Folders that cannot be read, as 'cannot read /x: permission denied'. */
  readonly faults: readonly string[];
}

/** Searches the file system. Bounded: `**` descends at most 8 folders, and `LIMITS.folders` folders are read. */
export function findFiles(globs: readonly Glob[]): Findings {
  const walk: Walk = { paths: new Set(), folders: new Set(), faults: new Set(), visited: 0 };
  for (const glob of globs) {
    for (const parts of glob.ways) visit(walk, "/", parts, 0);
  }
  return { paths: [...walk.paths].sort(), folders: [...walk.folders], faults: [...walk.faults] };
}

interface Walk {
  readonly paths: Set<string>;
  readonly folders: Set<string>;
  readonly faults: Set<string>;
  visited: number;
}

const MAX_DEPTH = 8;

/** Expands the parts of a glob from an existing folder. */
function visit(walk: Walk, folder: string, parts: readonly GlobPart[], depth: number): void {
  const [part, ...rest] = parts;
  if (part === undefined) return;
  if (part.kind === "name") return step(walk, folder, part.name, rest, depth);
  const entries = listFolder(walk, folder);
  walk.folders.add(folder);
  if (part.kind === "folders") {
    visit(walk, folder, rest, depth);
    if (depth === MAX_DEPTH) return;
    for (const entry of entries) {
      // Does not follow links: they may form a loop.
      if (entry.isDirectory() && !entry.name.startsWith(".")) {
        visit(walk, join(folder, entry.name), parts, depth + 1);
      }
    }
    return;
  }
  for (const entry of entries) {
    if (part.matches(entry.name)) step(walk, folder, entry.name, rest, depth);
  }
}

function step(walk: Walk, folder: string, name: string, rest: readonly GlobPart[], depth: number): void {
  const path = join(folder, name);
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) walk.folders.add(folder);
    else if (rest.length === 0) walk.paths.add(path);
    else if (found.isDirectory()) visit(walk, path, rest, depth);
  } catch (thrown) {
    walk.folders.add(folder);
    walk.faults.add(`cannot read ${path}: ${factOf(thrown)}`);
  }
}

function listFolder(walk: Walk, folder: string): Dirent[] {
  if (walk.visited++ >= LIMITS.folders.value) {
    walk.faults.add(`cannot search further folders: the limit is ${LIMITS.folders.value}`);
    return [];
  }
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (thrown) {
    walk.faults.add(`cannot read ${folder}: ${factOf(thrown)}`);
    return [];
  }
}

function join(folder: string, name: string): string {
  return folder === "/" ? `/${name}` : `${folder}/${name}`;
}
