import { statSync } from "node:fs";
import { factOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { parsePrefix, type Prefix } from "../../core/prefix.ts";
import { excerpt } from "../../core/printable.ts";
import { readRegularFile } from "../../core/read-regular-file.ts";

/** What a file of `ignoreip` says. */
export interface IgnoreFile {
  readonly prefixes: readonly Prefix[];
  /** Sentences about the first entries that cannot be used, with file and line. */
  readonly remarks: readonly string[];
  /** Entries that cannot be used. */
  readonly bad: number;
}

/** Changes when the file does. Null when there is no such file. */
export function signatureOf(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return null;
  const { dev, ino, size, mtimeMs, ctimeMs } = found;
  return [dev, ino, size, mtimeMs, ctimeMs].join(" ");
}

/** Throws the file system's error. */
export function readIgnoreFile(path: string): IgnoreFile {
  return parseIgnoreFile(readRegularFile(path, "utf8"), path);
}

/** Addresses and networks, with white space or commas between them; a comment begins with # or ; and ends with the line. */
export function parseIgnoreFile(text: string, path: string): IgnoreFile {
  const prefixes: Prefix[] = [];
  const remarks: string[] = [];
  let bad = 0;
  const refuse = (sentence: string): void => {
    bad++;
    if (remarks.length < MOST_REMARKS) remarks.push(sentence);
  };
  for (const [i, line] of text.split("\n").entries())
    for (const word of line.replace(/[#;].*/s, "").split(/[\s,]+/)) {
      if (word === "") continue;
      const prefix = parsePrefix(word);
      const place = `${path}:${i + 1}`;
      if (prefix === null)
        refuse(`'${excerpt(word, LONGEST_WORD)}' is not an address or a network: not used (${place})`);
      else if (prefixes.length < LIMITS.ignoredEntries.value) prefixes.push(prefix);
      else refuse(`there are more than ${LIMITS.ignoredEntries.value} addresses: not used (${place})`);
    }
  return { prefixes, remarks, bad };
}

/** The sentence of a file that cannot be read. */
export function unreadable(path: string, thrown: unknown): string {
  return `Cannot read ${path} for ignoreip: ${factOf(thrown)}`;
}

const MOST_REMARKS = 5;
const LONGEST_WORD = 60;
