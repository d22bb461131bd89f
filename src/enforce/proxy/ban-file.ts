import { lstatSync, type Stats } from "node:fs";
import { rm } from "node:fs/promises";
import { cannot, StoplogError } from "../../core/errors.ts";
import { replaceFile } from "../../core/replace-file.ts";
import { type Duration, MINUTE } from "../../core/time.ts";
import { fileText, FORMATS, HEADER, readFileText } from "./formats.ts";
import type { ProxyTarget } from "./kind.ts";
import { readRegularFile } from "../../core/read-regular-file.ts";

type FileOptions = Pick<ProxyTarget, "path" | "format" | "mode">;

/** What the prefixes of a file should be, and the file itself. */
export class BanFile {
  readonly path: string;
  readonly prefixes = new Set<string>();
  readonly #options: FileOptions;
  /** When this object made the file, by the monotonic clock; null for a file that was there. */
  #madeAt: number | null = null;
  /** The file as the last write left it; null when it must be written. */
  #left: FileMark | null = null;

  /** Reads the prefixes that an earlier run left. Throws a StoplogError when something is at the path that is not a file of ours. */
  constructor(options: FileOptions) {
    const { path, format } = options;
    this.path = path;
    this.#options = options;
    const stat = statOf(path);
    if (stat === null) {
      this.#madeAt = performance.now();
      return;
    }
    if (!stat.isFile())
      throw new StoplogError(
        `Cannot use ${path}: it is ${stat.isSymbolicLink() ? "a symbolic link" : "not a file"}`,
      );
    const text = readText(path);
    if (text.trim() !== "" && !text.startsWith(HEADER))
      throw new StoplogError(`Cannot use ${path}: Stoplog did not write it; remove it, or name another path`);
    for (const prefix of readFileText(text, FORMATS[format])) this.prefixes.add(prefix);
  }

  /** Removes a file that this object made a moment ago: the reload that asked for it was refused. */
  async removeIfUnused(): Promise<void> {
    if (this.#madeAt !== null && performance.now() - this.#madeAt < UNDONE_WITHIN)
      await rm(this.path, { force: true });
  }

  /** Whether the file is as the last write left it. */
  get isUntouched(): boolean {
    return this.#left !== null && isSame(this.#left, markOf(statOf(this.path)));
  }

  async write(): Promise<void> {
    const { path, format, mode } = this.#options;
    try {
      await replaceFile(path, fileText([...this.prefixes], FORMATS[format]), { mode });
    } catch (error) {
      this.#left = null;
      throw cannot(`write ${path}`, error);
    }
    this.#left = markOf(statOf(path));
  }
}

/** A reload takes a few seconds at most. Later, a proxy may have the file in its configuration, and would not start without it. */
const UNDONE_WITHIN: Duration = MINUTE;

interface FileMark {
  readonly inode: number;
  readonly size: number;
  readonly changedAt: number;
}

function markOf(stat: Stats | null): FileMark | null {
  return stat === null ? null : { inode: stat.ino, size: stat.size, changedAt: stat.mtimeMs };
}

function isSame(one: FileMark, other: FileMark | null): boolean {
  return (
    other !== null &&
    one.inode === other.inode &&
    one.size === other.size &&
    one.changedAt === other.changedAt
  );
}

function statOf(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    throw cannot(`use ${path}`, error);
  }
}

function readText(path: string): string {
  try {
    return readRegularFile(path, "latin1");
  } catch (error) {
    throw cannot(`read ${path}`, error);
  }
}
