import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { factOf } from "../core/errors.ts";
import { TEXT_LIMITS } from "./yaml-tree.ts";

/** A file's text, or why it cannot be read. Bounded: a path can lead to a device or to a log. */
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
  if (!fstatSync(descriptor).isFile()) return { fact: "it is no regular file" };
  const bytes = Buffer.alloc(TEXT_LIMITS.length + 1);
  let length = 0;
  while (length < bytes.length) {
    const read = readSync(descriptor, bytes, length, bytes.length - length, null);
    if (read === 0) break;
    length += read;
  }
  if (length > TEXT_LIMITS.length) return { fact: `it is larger than ${TEXT_LIMITS.length >> 20} MiB` };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length)) };
  } catch {
    return { fact: "it is not written in UTF-8" };
  }
}
