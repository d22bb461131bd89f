import type { Instant } from "../core/time.ts";

/** What the checks may know of the machine: the files below its root, read and never written, and what stands in no file. */
export interface Host {
  readonly facts: HostFacts;
  /** The first 64 KiB of a file as text; null when it is not there or may not be read. */
  read(path: string): string | null;
  /** The last 64 KiB. */
  readEnd(path: string): string | null;
  /** The names in a folder, sorted; none when it cannot be read. */
  list(folder: string): readonly string[];
  /** Files that a path with wildcards stands for. */
  find(path: string): readonly string[];
  /** Null when there is nothing. Links are followed. */
  stat(path: string): FileFacts | null;
  canRead(path: string): boolean;
  /** Of the file system that holds it; null when that cannot be told. */
  space(path: string): Space | null;
  /** Where a program lies that is called by name or by path; null when it is not installed. */
  program(name: string): string | null;
}

export interface HostFacts {
  readonly now: Instant;
  readonly uid: number;
  /** As Node writes it: `20.19.2`. */
  readonly nodeVersion: string;
  /** Why there is no way to the kernel but by programs; null when there is one. */
  readonly nativeFault: string | null;
  /** Whether the kernel says that its clock is kept right by somebody; null when it cannot be asked. */
  readonly clockSynchronised: boolean | null;
  /** Of Stoplog's own package, in which koffi is installed. */
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
  /** Null where the file system makes as many as are wanted. */
  readonly freeFiles: number | null;
}

/** A number that the kernel shows as a file; null when it does not. */
export function readNumber(host: Host, path: string): number | null {
  const text = host.read(path)?.trim() ?? "";
  return /^-?\d+$/.test(text) ? Number(text) : null;
}

/** A setting of sysctl by its name, such as `net.ipv4.tcp_syncookies`. */
export function readSysctl(host: Host, name: string): number | null {
  return readNumber(host, `/proc/sys/${name.replaceAll(".", "/")}`);
}
