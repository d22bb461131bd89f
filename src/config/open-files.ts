import { resolve } from "node:path";
import { ownUsers } from "../core/own-users.ts";
import { pathParts } from "../core/path-parts.ts";
import { type Opening, openingWords, whoCanWrite } from "../core/who-can-write.ts";
import { packageRoot } from "./package-root.ts";

/** A file of the configuration that users other than root and this process's user can change. */
export interface OpenFile {
  readonly path: string;
  readonly openings: readonly Opening[];
}

/**
 * The files among some that other users can change. In Stoplog's own package, its owner is trusted and the folders above are not looked at:
 * who changes them changes the program.
 */
export function findOpenFiles(paths: Iterable<string>): readonly OpenFile[] {
  const root = packageRoot();
  const { uids, gids } = ownUsers();
  return [...paths].flatMap((path) => {
    const parts = pathParts(path);
    const at = parts.findIndex((part) => part.path === root);
    const owner = parts[at];
    const openings =
      owner === undefined
        ? whoCanWrite(parts, { uids, gids })
        : whoCanWrite(parts.slice(at + 1), { uids: [...uids, owner.uid], gids: [...gids, owner.gid] });
    return openings.length > 0 ? [{ path: resolve(path), openings }] : [];
  });
}

/** Errors: a daemon with root's rights must not do what another user writes. Groups are left to the administrator. */
export function refusalsOf(files: readonly OpenFile[]): readonly string[] {
  return files.flatMap(({ path, openings }) => {
    const worst = openings.find(({ kind }) => kind !== "group");
    return worst === undefined ? [] : [`Cannot use ${path}: ${openingWords(path, worst)}`];
  });
}

/** One sentence a file. */
export function warningsOf(files: readonly OpenFile[]): readonly string[] {
  return files.flatMap(({ path, openings }) => {
    const worst = openings.find(({ kind }) => kind !== "group") ?? openings[0];
    return worst === undefined ? [] : [`${path}: ${openingWords(path, worst)}`];
  });
}
