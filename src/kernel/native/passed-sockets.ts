import { lstatSync, unlinkSync } from "node:fs";
import { loadNative } from "./libc.ts";
import { noteSocketPath } from "./socket-names.ts";

/** A socket that another process opened for this one. */
export interface PassedSocket {
  /** See socket-names.ts. */
  readonly name: string;
  readonly fd: number;
}

/** Who else has the sockets. */
export type Giver = "systemd" | "daemon";

/** Registers sockets of systemd, which keeps them, or of the daemon that this process takes over from. Bound: descriptors of a process. */
export function passSockets(sockets: readonly PassedSocket[], giver: Giver): void {
  for (const { name, fd } of sockets) {
    const before = passed.get(name);
    if (before !== undefined) loadNative().libc.close(before.fd);
    passed.set(name, { fd, giver, isUsed: false });
    const path = pathIn(name);
    if (path !== null) noteSocketPath(fd, path);
  }
}

/** A descriptor of the socket with this name, which the caller closes; null when none was passed. Sockets of systemd can be taken again. */
export function takePassedSocket(name: string): number | null {
  const socket = passed.get(name);
  if (socket === undefined) return null;
  if (socket.giver === "daemon") {
    passed.delete(name);
    return socket.fd;
  }
  socket.isUsed = true;
  return duplicate(socket.fd);
}

/** Whether systemd owns the socket with this name: its path stays when this process ends. */
export function isOfSystemd(name: string): boolean {
  return passed.get(name)?.giver === "systemd";
}

/** Sockets that nothing has taken. */
export function unusedSockets(giver: Giver): readonly string[] {
  return [...passed].filter(([, socket]) => socket.giver === giver && !socket.isUsed).map(([name]) => name);
}

/** Closes a socket of the earlier daemon that nothing has taken, and removes its path, as that daemon does not. */
export function dropPassedSocket(name: string): void {
  const socket = passed.get(name);
  if (socket === undefined) return;
  loadNative().libc.close(socket.fd);
  passed.delete(name);
  const path = pathIn(name);
  if (path !== null) removeSocket(path);
}

/** A further descriptor of the same socket or file, which programs that this process starts do not inherit. */
export function duplicate(fd: number): number {
  return loadNative().libc.fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/** Programs that this process starts do not inherit the descriptor. */
export function closeOnExec(fd: number): void {
  loadNative().libc.fcntl(fd, F_SETFD, FD_CLOEXEC);
}

function pathIn(name: string): string | null {
  return /^(?:unix|stream):(.+)$/s.exec(name)?.[1] ?? null;
}

function removeSocket(path: string): void {
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch {
    // It is gone already, or its folder belongs to another user.
  }
}

/** fcntl.h */
const F_SETFD = 2;
const FD_CLOEXEC = 1;
const F_DUPFD_CLOEXEC = 1030;

interface Passed {
  readonly fd: number;
  readonly giver: Giver;
  isUsed: boolean;
}

const passed = new Map<string, Passed>();
