import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { readText } from "../../config/read-text.ts";

/** Reads files of the machine whose configuration is imported. */
export interface Disk {
  exists(path: string): boolean;
  read(path: string): { readonly text: string } | { readonly fact: string };
  /** Sorted paths of the files in a folder; none when it cannot be read. */
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
      return []; // a missing folder is empty
    }
  },
};
