import { spawnSync } from "node:child_process";
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { loadNative, nativeFault } from "./libc.ts";
import { namesAreShared } from "./shared-names.ts";

/** A lock that is held until `release`, or until this process ends. */
export interface FileLock {
  release(): void;
}

/** Another process holds the lock; its id, when the file says it. */
export interface Held {
  readonly by: number | null;
}

/**
 * Locks a file by flock(2), without waiting. The file is made if it is missing, and removed by `release`; that of a process that crashed stays. The
 * holder's process id is in it. Throws the system's error when the file cannot be opened or locked.
 */
export function lockFile(path: string): FileLock | Held {
  const passed = passedLocks.get(path);
  if (passed !== undefined) {
    passedLocks.delete(path);
    return held(passed, path, fstatSync(passed).ino);
  }
  for (;;) {
    const file = openSync(path, FLAGS, 0o600);
    try {
      const found = fstatSync(file);
      if (!found.isFile()) throw new Error("it is not a regular file");
      if (!lock(file)) {
        const by = heldBy(file);
        closeSync(file);
        return { by };
      }
      // Another process may have removed the file, and locked a new one, between the opening and the lock.
      if (isNamed(path, found.ino)) return held(file, path, found.ino);
    } catch (error) {
      closeSync(file);
      throw error;
    }
    closeSync(file);
  }
}

/** The descriptors of the locks that this process holds, by their paths. Who has such a descriptor holds the lock. */
export function heldLocks(): ReadonlyMap<string, number> {
  return holding;
}

/** Registers locks of the daemon that this process takes over from: `lockFile` finds them. */
export function passLocks(locks: ReadonlyMap<string, number>): void {
  for (const [path, file] of locks) passedLocks.set(path, file);
}

/** Closes passed locks that nothing needs. */
export function dropPassedLocks(): void {
  for (const file of passedLocks.values()) closeSync(file);
  passedLocks.clear();
}

const holding = new Map<string, number>();
const passedLocks = new Map<string, number>();

/** Not through a link, and without waiting for the reader of a pipe. */
const FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function isNamed(path: string, inode: number): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.ino === inode;
}

function held(file: number, path: string, inode: number): FileLock {
  ftruncateSync(file);
  // At the beginning: a passed descriptor has the offset of the process that wrote before.
  writeSync(file, `${process.pid}\n`, 0);
  holding.set(path, file);
  return {
    release() {
      holding.delete(path);
      // While it is still locked: a process that opened it before locks it later, finds that it has lost its name, and makes a new one.
      if (!namesAreShared() && isNamed(path, inode)) removeIfPermitted(path);
      closeSync(file);
    },
  };
}

/** A file that stays does no harm. */
function removeIfPermitted(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The next process that locks it uses it.
  }
}

/** False when another process holds the lock. Without koffi, the program flock locks the descriptor that it shares with us. */
function lock(file: number): boolean {
  if (nativeFault() === null) {
    const { libc } = loadNative();
    if (libc.flock(file, LOCK_EX | LOCK_NB) === 0) return true;
    const errno = libc.errno();
    if (errno === EWOULDBLOCK) return false;
    throw new Error(`flock fails with errno ${errno}`);
  }
  const done = spawnSync("flock", ["-n", "-E", String(TAKEN), "3"], {
    stdio: ["ignore", "ignore", "ignore", file],
  });
  if (done.status === 0) return true;
  if (done.status === TAKEN) return false;
  throw new Error("koffi and the program flock are missing");
}

const LOCK_EX = 2;
const LOCK_NB = 4;
const EWOULDBLOCK = 11;
const TAKEN = 99;

function heldBy(file: number): number | null {
  const bytes = Buffer.alloc(16);
  const pid = Number.parseInt(bytes.toString("latin1", 0, readSync(file, bytes, 0, bytes.length, 0)), 10);
  return Number.isInteger(pid) ? pid : null;
}
