import { readdirSync, statSync, type Dirent } from "node:fs";
import { factOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Glob, GlobPart } from "./glob.ts";

/** What a glob stands for at this moment. */
export interface Findings {
  /** Paths of what is there, in order of their names; files or whatever else bears such a name. */
  readonly paths: readonly string[];
  /** Folders in which one more could appear: each pattern's own, or the nearest above it that exists. */
  readonly folders: readonly string[];
  /** Folders that cannot be looked into, as 'cannot read /x: permission denied'. */
  readonly faults: readonly string[];
}

/** Looks through the file system. Bounded: `**` goes at most 8 folders deep, and so many folders are visited. */
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

/** Follows one way of a glob from a folder that exists. */
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
      // Links are not followed here: they may lead round in a circle.
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
    walk.faults.add(`looks into ${LIMITS.folders.value} folders only`);
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
