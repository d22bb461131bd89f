import { accessSync, constants, lstatSync, readlinkSync, type Stats } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { PathPart } from "./who-can-write.ts";

/**
 * Every folder and file that a path leads through, in order, also through symbolic links. It ends at the first part that is missing or out of reach.
 * Parts on a file system that is mounted read-only are left out: no user writes there.
 */
export function pathParts(path: string): readonly PathPart[] {
  const parts = new Map<string, PathPart>();
  let left = resolve(path).split("/");
  let at = "/";
  for (let links = 0, name = left.shift(); name !== undefined; name = left.shift()) {
    const next = name === ".." ? dirname(at) : join(at, name);
    const stats = look(next);
    if (stats === null) break;
    if (stats.isSymbolicLink()) {
      if (++links > MOST_LINKS) break;
      const target = linkTarget(next);
      if (target === null) break;
      if (target.startsWith("/")) at = "/";
      left = [...target.split("/"), ...left];
      continue;
    }
    at = next;
    if (parts.has(at) || isReadOnly(at)) continue;
    const { mode, uid, gid } = stats;
    parts.set(at, { path: at, isFolder: stats.isDirectory(), mode: mode & 0o7777, uid, gid });
  }
  return [...parts.values()];
}

function look(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch {
    return null;
  }
}

function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null; // replaced meanwhile
  }
}

/** Also for root, who may write everything else. */
function isReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EROFS";
  }
}

/** As many as Linux follows. */
const MOST_LINKS = 40;
