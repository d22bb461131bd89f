import { dirname } from "node:path";
import type { Disk } from "./disk.ts";

/** A machine with these files only. */
export function diskOf(files: Readonly<Record<string, string>>): Disk {
  const paths = Object.keys(files).toSorted();
  return {
    exists: (path) => Object.hasOwn(files, path),
    read: (path) => {
      const text = Object.hasOwn(files, path) ? files[path] : undefined;
      return text === undefined ? { fact: "no such file or directory" } : { text };
    },
    tail: (path, most) => {
      const text = Object.hasOwn(files, path) ? files[path] : undefined;
      return text === undefined
        ? { fact: "no such file or directory" }
        : { bytes: Buffer.from(text).subarray(-most) };
    },
    journal: (words) =>
      files[`/journalctl ${words.at(-1)}`] === undefined
        ? null
        : Buffer.from(files[`/journalctl ${words.at(-1)}`] ?? ""),
    list: (folder) => paths.filter((path) => dirname(path) === folder),
  };
}
