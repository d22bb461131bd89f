import { chmodSync, chownSync, lstatSync, mkdirSync, renameSync, type Stats, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { StoplogError } from "../../core/errors.ts";
import {
  AF_UNIX,
  loadNative,
  openSocket,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from "../../kernel/native/libc.ts";
import { unixSocketAddress } from "../../kernel/native/socket-address.ts";
import { isOfSystemd, takePassedSocket } from "../../kernel/native/passed-sockets.ts";
import { namesAreShared } from "../../kernel/native/shared-names.ts";
import { forgetSocketPath, noteSocketPath } from "../../kernel/native/socket-names.ts";
import { systemError } from "../../kernel/native/system-error.ts";

/** Permissions of the socket file: any process that can write to the socket can send log lines. */
export interface SocketPermissions {
  readonly mode: number;
  /** Numeric IDs; null for those of this process. */
  readonly owner: number | null;
  readonly group: number | null;
}

/** A socket bound to a path. */
export interface BoundPath {
  readonly fd: number;
  /** True while the path still names this socket. */
  isOurs(): boolean;
  /** Removes the path if it still names this socket. The descriptor stays open. */
  remove(): void;
}

/**
 * Binds a non-blocking UNIX datagram socket. The socket is created under a temporary name, gets its permissions, and is then
 * renamed to the path: at no time does it have wider permissions, and a stale socket is replaced without a gap.
 * Throws when the path is not a socket, or when another process is listening on it. A socket that was passed to this process is used as it is.
 */
export function bindUnixPath(path: string, permissions: SocketPermissions): BoundPath {
  const passed = passedTo(path, permissions);
  if (passed !== null) return boundTo(path, passed);
  const folder = dirname(path);
  if (folder.startsWith("/run/")) mkdirSync(folder, { recursive: true, mode: 0o755 });
  refuseUsed(path);
  const { libc } = loadNative();
  const temporary = join(folder, `.${process.pid.toString(36)}${Math.random().toString(36).slice(2, 6)}`);
  const address = unixSocketAddress(temporary);
  const fd = openSocket(libc, `open a socket`, DATAGRAM);
  try {
    if (libc.bind(fd, address, address.length) < 0) throw systemError(libc.errno());
    try {
      permit(temporary, permissions);
      renameSync(temporary, path);
    } catch (thrown) {
      unlinkSync(temporary);
      throw thrown;
    }
  } catch (thrown) {
    libc.close(fd);
    throw thrown;
  }
  noteSocketPath(fd, path);
  return boundTo(path, fd);
}

/** Datagrams that a passed socket received meanwhile wait in it. Null when none was passed, or its path is gone. */
function passedTo(path: string, permissions: SocketPermissions): number | null {
  const fd = takePassedSocket(`unix:${path}`);
  if (fd === null || statOf(path)?.isSocket() === true) {
    // A unit of systemd says who may write to its socket.
    if (fd !== null && !isOfSystemd(`unix:${path}`)) permit(path, permissions);
    return fd;
  }
  loadNative().libc.close(fd);
  return null;
}

function permit(path: string, { owner, group, mode }: SocketPermissions): void {
  chownSync(path, owner ?? -1, group ?? -1);
  chmodSync(path, mode);
}

function boundTo(path: string, fd: number): BoundPath {
  const { dev, ino } = lstatSync(path);
  const isOurs = (): boolean => {
    const found = statOf(path);
    return found?.ino === ino && found.dev === dev;
  };
  return {
    fd,
    isOurs,
    remove() {
      if (namesAreShared() || isOfSystemd(`unix:${path}`)) return;
      forgetSocketPath(path);
      if (isOurs()) unlinkSync(path);
    },
  };
}

const DATAGRAM = [AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0] as const;

function refuseUsed(path: string): void {
  const found = statOf(path);
  if (found === undefined) return;
  if (!found.isSocket()) throw new StoplogError("the path exists and is not a socket");
  const { code } = connectTo(path);
  if (code === "ECONNREFUSED" || code === "ENOENT") return; // left by a process that has exited
  // Connected, or EPROTOTYPE: another process listens on a stream socket.
  if (code === "" || code === "EPROTOTYPE") throw new StoplogError("another process is using it");
  throw new StoplogError(`cannot tell whether another process is using it (${code})`);
}

/** Sends nothing: connecting a datagram socket only checks whether a process is listening. */
function connectTo(path: string): { code: string } {
  const { libc, library } = loadNative();
  const connect = library.func("connect", "int", ["int", "const void *", "uint32_t"]);
  const fd = openSocket(libc, "open a socket", DATAGRAM);
  try {
    const address = unixSocketAddress(path);
    const connected = (connect(fd, address, address.length) as number) === 0;
    return { code: connected ? "" : (systemError(libc.errno()).code ?? "") };
  } finally {
    libc.close(fd);
  }
}

function statOf(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}
