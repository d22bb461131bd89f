import { constants, readdirSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { basename, join } from "node:path";
import { cannot, factOf, StoplogError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { inTurns } from "../../core/turns.ts";
import { type ListBounds, ListParser, type ParsedList } from "./parse-list.ts";

/** The files of a list, and a fingerprint that changes when one of them does. */
export interface ListFiles {
  readonly paths: readonly string[];
  readonly signature: string;
}

/** A file, or the files of a folder except temporary ones, by their names. A string is the fact why there are none. */
export function findListFiles(path: string): ListFiles | string {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return "there is no such file or folder";
    const paths = found.isDirectory() ? filesIn(path) : [path];
    if (paths.length > LIMITS.files.value) return `there are more than ${LIMITS.files.value} files in it`;
    const signature = paths.map((one) => {
      const { dev, ino, size, mtimeMs, ctimeMs } = statSync(one);
      return [one, dev, ino, size, mtimeMs, ctimeMs].join(" ");
    });
    return { paths, signature: signature.join("\n") };
  } catch (thrown) {
    return factOf(thrown);
  }
}

/** Reads files one after the other as one list. Rejects with a StoplogError when one cannot be read, or they are too long together. */
export async function readListFiles(
  paths: readonly string[],
  bounds: ListBounds,
  signal?: AbortSignal,
): Promise<ParsedList> {
  const parser = new ListParser(bounds);
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  let total = 0;
  for (const path of paths) {
    parser.beginFile(paths.length > 1 ? basename(path) : undefined);
    // Opening a pipe without a writer must not block.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((thrown: unknown) => {
      throw cannot(`read ${path}`, thrown);
    });
    try {
      if (!(await file.stat()).isFile()) throw new StoplogError(`Cannot read ${path}: not a regular file`);
      for (;;) {
        const { bytesRead } = await file.read(buffer, 0, CHUNK, null);
        if (bytesRead === 0) break;
        total += bytesRead;
        if (total > bounds.bytes) throw new StoplogError(`Cannot read ${path}: ${tooLong(bounds.bytes)}`);
        await inTurns(parser.push(buffer.subarray(0, bytesRead)), signal);
      }
    } finally {
      await file.close();
    }
    parser.endFile();
  }
  return parser;
}

export function tooLong(bytes: number): string {
  return `it is longer than ${bytes >= 1 << 20 ? `${bytes >> 20} MiB` : `${bytes} bytes`}`;
}

const CHUNK = 64 * 1024;

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => !/^\.|~$|\.(tmp|new|swp|part|bak|dpkg-\w+|rpm\w+)$/.test(name))
    .sort()
    .map((name) => join(folder, name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}
