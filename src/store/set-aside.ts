import { linkSync, lstatSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { basename } from "node:path";
import { factOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";

/**
 * Keeps what is at a path of the state directory under another name, before it is written again: `PATH.damaged-1` is the newest copy. A file
 * also keeps its name, so that there is no moment without it; what is not a file (a directory, a pipe, a link) is renamed. Returns the new name
 * without its folder. Throws the file system's error.
 */
export function setAside(path: string): string {
  for (let n = LIMITS.damagedFiles.value; n >= 1; n--) {
    if (n === LIMITS.damagedFiles.value) remove(damaged(path, n));
    else if (isThere(damaged(path, n))) renameSync(damaged(path, n), damaged(path, n + 1));
  }
  const name = damaged(path, 1);
  if (!lstatSync(path).isFile()) renameSync(path, name);
  else keepBoth(path, name);
  return basename(name);
}

/** Sets aside what is at a path, and says what became of it, as a phrase. */
export function sayKept(path: string): string {
  try {
    return `it is kept as ${setAside(path)}`;
  } catch (error) {
    return `it cannot be set aside: ${factOf(error)}`;
  }
}

function damaged(path: string, n: number): string {
  return `${path}.damaged-${n}`;
}

/** A directory is removed only when it is empty. */
function remove(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (found.isDirectory()) rmdirSync(path);
  else unlinkSync(path);
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Some file systems have no hard links, and the kernel forbids links to files of other users (fs.protected_hardlinks). */
function keepBoth(path: string, name: string): void {
  try {
    linkSync(path, name);
  } catch {
    renameSync(path, name);
  }
}
