import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { bytesWords } from "./wording.ts";

/**
 * The content of a regular file. Throws the file system's error, or one that says what is at the path instead: opening a pipe would block the whole
 * process, and a device may never end.
 */
export function readRegularFile(path: string, encoding: "utf8" | "latin1"): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const found = fstatSync(file);
    if (!found.isFile()) throw new Error(notAFile(found));
    if (found.size > MOST_BYTES) throw new Error(`it is larger than ${bytesWords(MOST_BYTES)}`);
    return readFileSync(file, encoding);
  } finally {
    closeSync(file);
  }
}

/** What is at a path instead of a regular file, as a phrase. */
export function notAFile(found: { isDirectory(): boolean }): string {
  return found.isDirectory() ? "it is a directory" : "it is not a regular file";
}

/** Far more than any file that is read as a whole: keys, tokens, /etc/hosts.deny. */
const MOST_BYTES = 64 * 1024 * 1024;
