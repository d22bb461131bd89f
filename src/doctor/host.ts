import type { Instant } from "../core/time.ts";

/** What checks see of the machine: the files below its root, read-only, and facts that are in no file. */
export interface Host {
  readonly facts: HostFacts;
  /** The first 64 KiB of a file as text; null when it is missing or unreadable. */
  read(path: string): string | null;
  /** The last 64 KiB. */
  readEnd(path: string): string | null;
  /** The names in a directory, sorted; none when it cannot be read. */
  list(folder: string): readonly string[];
  /** Files that match a path with wildcards. */
  find(path: string): readonly string[];
  /** Null for a missing file. Follows symbolic links. */
  stat(path: string): FileFacts | null;
  canRead(path: string): boolean;
  /** Free space of its file system; null when unknown. */
  space(path: string): Space | null;
  /** The path of a program, by its name or path; null when it is not installed. */
  program(name: string): string | null;
}

export interface HostFacts {
  readonly now: Instant;
  readonly uid: number;
  /** `20.19.2`. */
  readonly nodeVersion: string;
  /** Why koffi cannot be used; null when it can. */
  readonly nativeFault: string | null;
  /** Whether the kernel says that the clock is synchronised; null when unknown. */
  readonly clockSynchronised: boolean | null;
  /** The rules of iptables, as iptables-save and ip6tables-save print them; null when they cannot be read. */
  readonly iptables: string | null;
  /** What `nft list tables` prints; null when it cannot be run. */
  readonly nftTables: string | null;
  /** The root of Stoplog's package, in which koffi is installed. */
  readonly packageRoot: string;
}

export interface FileFacts {
  readonly kind: "file" | "folder" | "socket" | "other";
  readonly size: number;
  readonly changedAt: Instant;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface Space {
  /** For an ordinary user, in bytes. */
  readonly free: number;
  readonly size: number;
  /** Null where the file system has no limit. */
  readonly freeFiles: number | null;
}

/** A number that the kernel shows as a file; null when the file is missing. */
export function readNumber(host: Host, path: string): number | null {
  const text = host.read(path)?.trim() ?? "";
  return /^-?\d+$/.test(text) ? Number(text) : null;
}

/** A setting of sysctl by its name, such as `net.ipv4.tcp_syncookies`. */
export function readSysctl(host: Host, name: string): number | null {
  return readNumber(host, `/proc/sys/${name.replaceAll(".", "/")}`);
}
