import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { readText } from "../../config/read-text.ts";

/** What is read of the machine whose configuration is imported. */
export interface Disk {
  exists(path: string): boolean;
  read(path: string): { readonly text: string } | { readonly fact: string };
  /** The paths of a folder's files, sorted; none where it cannot be read. */
  list(folder: string): readonly string[];
}

export const disk: Disk = {
  exists: (path) => statSync(path, { throwIfNoEntry: false }) !== undefined,
  read: readText,
  list(folder) {
    try {
      return readdirSync(folder)
        .toSorted()
        .map((name) => join(folder, name));
    } catch {
      return []; // one that is not there holds nothing
    }
  },
};
