import { closeSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { factOf, StoplogError } from "../../core/errors.ts";
import { type Libc, loadNative, nativeFault } from "../../kernel/native/libc.ts";
import { systemError } from "../../kernel/native/system-error.ts";

/**
 * A list of xt_recent as the kernel shows it: a file that takes one command a write, at its beginning: `+ADDR`, `-ADDR` or `/`. It
 * is there while a rule names the list (net/netfilter/xt_recent.c).
 */
export interface ListFile {
  /** Null, or the fact why the kernel did not take the command. Throws a StoplogError when the list is gone, or another of its name is there. */
  write(command: string): string | null;
  /** Null, or that it is gone: the rules that named it were taken away, though others may have made it anew. */
  missing(): string | null;
  /** The addresses in the list, the one that was seen the longest ago first. Throws when the list is gone. */
  read(): readonly string[];
  close(): void;
}

/** Throws a StoplogError ('PATH: FACT') when there is no such list, or it may not be written. */
export function openListFile(name: string): ListFile {
  const path = `${FOLDER}/${name}`;
  const fd = openFile(path);
  const put = nativeFault() === null ? seekingWriter(fd, loadNative().libc) : reopeningWriter(path);
  // Of a list that is gone nothing can be read, though another may have its name, and even its inode's number.
  const missing = (): string | null => {
    try {
      readSync(fd, Buffer.alloc(1), 0, 1, 0);
      return null;
    } catch {
      return `the list ${name} was taken away`;
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

/** How many addresses a list holds: a parameter of the module, the same for all lists; null when it cannot be read. */
export function listCapacity(): number | null {
  try {
    const value = Number(readFileSync("/sys/module/xt_recent/parameters/ip_list_tot", "latin1").trim());
    return Number.isInteger(value) && value > 0 ? value : null;
  } catch {
    return null;
  }
}

/** Reads `src=192.0.2.1 ttl: 64 last_seen: 4299 oldest_pkt: 1 4299` and its like, by their last_seen. */
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

/** Of the thread that calls: that is where its network namespace is. */
const FOLDER = "/proc/thread-self/net/xt_recent";

function openFile(path: string): number {
  try {
    return openSync(path, "r+");
  } catch (error) {
    throw new StoplogError(`${path}: ${factOf(error)}`);
  }
}

/** The kernel refuses a second write behind the first, and any at a place of its own: so back to the beginning each time. */
function seekingWriter(fd: number, libc: Libc): (bytes: Buffer) => string | null {
  return (bytes) => {
    libc.lseek(fd, 0, SEEK_SET);
    if (libc.write(fd, bytes, bytes.length) >= 0) return null;
    return factOf(systemError(libc.errno()));
  };
}

const SEEK_SET = 0;

/** Six times slower, and without koffi. */
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
