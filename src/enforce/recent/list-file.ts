import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { factOf, StoplogError } from "../../core/errors.ts";
import { type Libc, loadNative, nativeFault } from "../../kernel/native/libc.ts";
import { systemError } from "../../kernel/native/system-error.ts";

/**
 * The kernel's file for a list of xt_recent. Each write at its beginning is one command: `+ADDR`, `-ADDR` or `/`. The file exists while a
 * rule names the list (net/netfilter/xt_recent.c).
 */
export interface ListFile {
  /** Returns null, or why the kernel refused the command. Throws a StoplogError when the list is gone, even if another has its name. */
  write(command: string): string | null;
  /** Null, or that the list is gone: its rules were removed, though a new rule may have created another of its name. */
  missing(): string | null;
  /** The addresses in the list, least recently seen first. Throws when the list is gone. */
  read(): readonly string[];
  close(): void;
}

/** Throws a StoplogError ('PATH: FACT') when the list does not exist or cannot be written. */
export function openListFile(name: string): ListFile {
  const path = `${FOLDER}/${name}`;
  const fd = openFile(path);
  const put = nativeFault() === null ? seekingWriter(fd, loadNative().libc) : reopeningWriter(path);
  // Reading fails once the list is gone, even if another has its name and inode number.
  const missing = (): string | null => {
    try {
      readSync(fd, Buffer.alloc(1), 0, 1, 0);
      return null;
    } catch {
      return `the list ${name} was removed`;
    }
  };
  return {
    write(command) {
      const fact = put(Buffer.from(`${command}\n`, "latin1"));
      const gone = fact === null ? null : missing();
      if (gone !== null) throw new StoplogError(`Cannot change bans: ${gone}`);
      return fact;
    },
    missing,
    read: () => parseList(readFileSync(path, "latin1")),
    close: () => closeSync(fd),
  };
}

/** The most addresses in a list, a parameter of the module for all lists; null when it cannot be read. */
export function listCapacity(): number | null {
  try {
    const value = Number(readFileSync("/sys/module/xt_recent/parameters/ip_list_tot", "latin1").trim());
    return Number.isInteger(value) && value > 0 ? value : null;
  } catch {
    return null;
  }
}

/** Reads lines like `src=192.0.2.1 ttl: 64 last_seen: 4299 oldest_pkt: 1 4299`, sorted by last_seen. */
export function parseList(text: string): readonly string[] {
  return text
    .split("\n")
    .flatMap((line) => {
      const [, address, seen] = /^src=(\S+) .*last_seen: (\d+)/.exec(line) ?? [];
      return address === undefined ? [] : { address, seen: Number(seen) };
    })
    .sort((a, b) => a.seen - b.seen)
    .map(({ address }) => address);
}

/** Of the calling thread, whose network namespace may differ from the process's. */
const FOLDER = "/proc/thread-self/net/xt_recent";

function openFile(path: string): number {
  try {
    return openSync(path, "r+");
  } catch (error) {
    throw new StoplogError(`${path}: ${factOf(error)}`);
  }
}

/** The kernel refuses writes at any other offset than 0, pwrite too. */
function seekingWriter(fd: number, libc: Libc): (bytes: Buffer) => string | null {
  return (bytes) => {
    libc.lseek(fd, 0, SEEK_SET);
    if (libc.write(fd, bytes, bytes.length) >= 0) return null;
    return factOf(systemError(libc.errno()));
  };
}

const SEEK_SET = 0;

/** Six times slower; used where koffi is missing. */
function reopeningWriter(path: string): (bytes: Buffer) => string | null {
  return (bytes) => {
    const fd = openFile(path);
    try {
      writeSync(fd, bytes);
      return null;
    } catch (error) {
      return factOf(error);
    } finally {
      closeSync(fd);
    }
  };
}
