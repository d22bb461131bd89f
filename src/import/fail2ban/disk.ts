import { spawnSync } from "node:child_process";
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { readText } from "../../config/read-text.ts";
import { factOf } from "../../core/errors.ts";

/** Reads files of the machine whose configuration is imported. */
export interface Disk {
  /** True as well when that cannot be seen. */
  exists(path: string): boolean;
  read(path: string): { readonly text: string } | { readonly fact: string };
  /** Sorted paths of the files in a folder; none when it cannot be read. */
  list(folder: string): readonly string[];
  /** The last `most` bytes of a file. */
  tail(path: string, most: number): { readonly bytes: Buffer } | { readonly fact: string };
  /** What journalctl prints; null when it cannot be run. */
  journal(words: readonly string[]): Buffer | null;
}

export const disk: Disk = {
  exists(path) {
    try {
      return statSync(path, { throwIfNoEntry: false }) !== undefined;
    } catch {
      return true; // a loop of links or a closed folder: reading it gives the reason
    }
  },
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
  tail(path, most) {
    try {
      const { size } = statSync(path);
      if (!statSync(path).isFile()) return { fact: "it is not a file" };
      return { bytes: readPart(path, Math.max(0, size - most), Math.min(size, most)) };
    } catch (error) {
      return { fact: factOf(error) };
    }
  },
  journal(words) {
    const { stdout, status } = spawnSync("journalctl", words, { maxBuffer: 1 << 26, timeout: LONGEST });
    return status === 0 ? stdout : null;
  },
};

/** Milliseconds. */
const LONGEST = 20_000;

function readPart(path: string, from: number, count: number): Buffer {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(count);
    return bytes.subarray(0, readSync(file, bytes, 0, count, from));
  } finally {
    closeSync(file);
  }
}
