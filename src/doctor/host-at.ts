import {
  accessSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  type Stats,
  statfsSync,
  statSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { findFiles } from "../source/file/find-files.ts";
import { parseGlob } from "../source/file/glob.ts";
import type { FileFacts, Host, HostFacts } from "./host.ts";

/** The machine whose files are below a root; the empty string for this machine. `path` is the search path for programs. */
export function hostAt(root: string, path: string, facts: HostFacts): Host {
  const at = (name: string): string => root + name;
  const programs = [...new Set([...path.split(delimiter), ...SYSTEM_FOLDERS])].filter((folder) =>
    folder.startsWith("/"),
  );
  return {
    facts,
    read: (name) => orNull(() => readPart(at(name), "head")),
    readEnd: (name) => orNull(() => readPart(at(name), "tail")),
    list: (folder) => orNull(() => readdirSync(at(folder)).sort().slice(0, MOST_NAMES)) ?? [],
    find: (pattern) => {
      const glob = parseGlob(at(pattern));
      return typeof glob === "string" ? [] : findFiles([glob]).paths.map((found) => found.slice(root.length));
    },
    stat: (name) => orNull(() => factsOf(statSync(at(name)))),
    canRead: (name) => isAllowed(at(name), constants.R_OK),
    space: (name) => orNull(() => spaceOf(at(name))),
    program: (name) =>
      (name.includes("/") ? [name] : programs.map((folder) => join(folder, name))).find((file) =>
        isAllowed(at(file), constants.X_OK),
      ) ?? null,
  };
}

/** Often missing in an ordinary user's PATH, not in the daemon's. */
const SYSTEM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin"];

const PART = 64 * 1024;

/** The largest directory that is read is /proc, with one name for each process. */
const MOST_NAMES = 65_536;

/** Reads to the end or the bound: files in /proc have size 0. O_NONBLOCK: the name may be that of a pipe. */
function readPart(path: string, part: "head" | "tail"): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const bytes = Buffer.allocUnsafe(PART);
    const from = part === "head" ? 0 : Math.max(0, fstatSync(fd).size - PART);
    let length = 0;
    for (;;) {
      const read = readSync(fd, bytes, length, PART - length, from + length);
      length += read;
      if (read === 0 || length === PART) return bytes.toString("utf8", 0, length);
    }
  } finally {
    closeSync(fd);
  }
}

function factsOf(stats: Stats): FileFacts {
  const kind = stats.isFile()
    ? "file"
    : stats.isDirectory()
      ? "folder"
      : stats.isSocket()
        ? "socket"
        : "other";
  const { size, mtimeMs: changedAt, mode, uid, gid } = stats;
  return { kind, size, changedAt, mode: mode & 0o7777, uid, gid };
}

function spaceOf(path: string) {
  const { bsize, bavail, blocks, files, ffree } = statfsSync(path);
  return { free: bavail * bsize, size: blocks * bsize, freeFiles: files === 0 ? null : ffree };
}

function isAllowed(path: string, mode: number): boolean {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
}

/** For the checks, an unreadable file is missing; they say what that means. */
function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
