import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { factOf } from "../core/errors.ts";
import { LONGEST_TEXT, TOO_LONG } from "../schema/longest-text.ts";

/** A file's text, or why it cannot be read. Bounded: the path may be that of a device or a log. */
export function readText(path: string): { readonly text: string } | { readonly fact: string } {
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return readBounded(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return { fact: factOf(error) };
  }
}

function readBounded(descriptor: number): { readonly text: string } | { readonly fact: string } {
  const stat = fstatSync(descriptor);
  if (!stat.isFile()) return { fact: "not a regular file" };
  if (stat.size > LONGEST_TEXT) return { fact: TOO_LONG };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(descriptor)) };
  } catch (error) {
    if (error instanceof TypeError) return { fact: "not UTF-8" };
    throw error;
  }
}
