import { chmod, lstat, mkdir, rename, unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { dirname, join } from "node:path";
import { cannot, StoplogError } from "../core/errors.ts";
import { MAX_SOCKET_PATH } from "../core/paths.ts";
import { nativeFault } from "../kernel/native/libc.ts";
import { isOfSystemd, takePassedSocket } from "../kernel/native/passed-sockets.ts";
import { namesAreShared } from "../kernel/native/shared-names.ts";
import { noteSocketPath, ownSockets } from "../kernel/native/socket-names.ts";

export interface SocketPlace {
  readonly path: string;
  readonly mode: number;
  /** What has the path if it is taken, for the sentence. */
  readonly other: string;
}

/**
 * Listens on a UNIX socket: one that systemd or an earlier process passed, or a new one. Rejects when a running program has the path; a
 * socket that a dead one left is replaced. `release` removes the path, after the server has closed.
 */
export async function listenOnSocket(
  server: Server,
  { path, mode, other }: SocketPlace,
): Promise<{ release(): Promise<void> }> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw new StoplogError(`Cannot listen on ${path}: the path is longer than ${MAX_SOCKET_PATH} bytes`);
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o755 }).catch((error: unknown) => {
    throw cannot(`listen on ${path}`, error);
  });
  const passed = takePassedSocket(`stream:${path}`);
  if (passed === null) {
    // A daemon of an earlier version holds no lock, and fail2ban none at all.
    if (await isAlive(path)) throw new StoplogError(`Cannot listen on ${path}: ${other} there`);
    await removeSocket(path);
  }
  if (passed === null) await listenAt(server, { path, mode });
  else await listen(server, { fd: passed }, path);
  return {
    async release() {
      if (!namesAreShared() && !isOfSystemd(`stream:${path}`)) await unlink(path).catch(() => undefined);
    },
  };
}

/**
 * Under another name first: no other user can connect before the permissions are right. And when it closes, Node unlinks the name that it knows,
 * which is not the path any more: a daemon that takes over goes on listening there.
 */
async function listenAt(server: Server, { path, mode }: Omit<SocketPlace, "other">): Promise<void> {
  const temporary = join(
    dirname(path),
    `.${process.pid.toString(36)}${Math.random().toString(36).slice(2, 6)}`,
  );
  // Only with a path that ends with a name of one or two letters.
  if (Buffer.byteLength(temporary) > MAX_SOCKET_PATH)
    throw new StoplogError(`Cannot listen on ${path}: the folder's path is too long`);
  await listen(server, { path: temporary }, path);
  await chmod(temporary, mode);
  await rename(temporary, path);
  if (nativeFault() !== null) return;
  for (const { name, fd } of ownSockets()) if (name === `stream:${temporary}`) noteSocketPath(fd, path);
}

/** Removes the socket that a dead daemon left, and nothing else. */
async function removeSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket())
    throw new StoplogError(`Cannot listen on ${path}: it is not a socket; remove it, or name another path`);
  await unlink(path).catch((error: unknown) => {
    throw cannot(`replace the socket ${path}`, error);
  });
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

function listen(
  server: Server,
  where: { readonly fd: number } | { readonly path: string },
  path: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(cannot(`listen on ${path}`, error)));
    server.listen(where, resolve);
  });
}
