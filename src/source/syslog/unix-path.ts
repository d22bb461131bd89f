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
import { systemError } from "../../kernel/native/system-error.ts";

/** Who may write to the socket. */
export interface SocketPermissions {
  readonly mode: number;
  /** Numbers; null for what the process has. */
  readonly owner: number | null;
  readonly group: number | null;
}

/** A socket bound to a path. */
export interface BoundPath {
  readonly fd: number;
  /** Is the path still this socket's? */
  isOurs(): boolean;
  /** Takes the path away if it still is; the descriptor stays open. */
  remove(): void;
}

/**
 * Binds a non-blocking UNIX datagram socket. It gets its permissions under another name and then the path in one step:
 * at no time may anybody write who should not, and a socket that nobody listens to any more is replaced without a gap.
 * Throws when the path is something else, or a living process has it.
 */
export function bindUnixPath(path: string, permissions: SocketPermissions): BoundPath {
  const folder = dirname(path);
  if (folder.startsWith("/run/")) mkdirSync(folder, { recursive: true, mode: 0o755 });
  refuseUsed(path);
  const { libc } = loadNative();
  const beginning = join(folder, `.${process.pid.toString(36)}${Math.random().toString(36).slice(2, 6)}`);
  const address = unixSocketAddress(beginning);
  const fd = openSocket(libc, `open a socket`, DATAGRAM);
  try {
    if (libc.bind(fd, address, address.length) < 0) throw systemError(libc.errno());
    try {
      chownSync(beginning, permissions.owner ?? -1, permissions.group ?? -1);
      chmodSync(beginning, permissions.mode);
      renameSync(beginning, path);
    } catch (thrown) {
      unlinkSync(beginning);
      throw thrown;
    }
  } catch (thrown) {
    libc.close(fd);
    throw thrown;
  }
  const { dev, ino } = lstatSync(path);
  const isOurs = (): boolean => {
    const found = statOf(path);
    return found?.ino === ino && found.dev === dev;
  };
  return {
    fd,
    isOurs,
    remove() {
      if (isOurs()) unlinkSync(path);
    },
  };
}

const DATAGRAM = [AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0] as const;

function refuseUsed(path: string): void {
  const found = statOf(path);
  if (found === undefined) return;
  if (!found.isSocket()) throw new StoplogError("something is there that is no socket");
  const { code } = connectTo(path);
  if (code === "ECONNREFUSED" || code === "ENOENT") return; // left behind by a process that is gone
  // Connected, or EPROTOTYPE: somebody listens for a stream.
  if (code === "" || code === "EPROTOTYPE") throw new StoplogError("another process is using it");
  throw new StoplogError(`whether another process is using it cannot be seen (${code})`);
}

/** Nothing is sent: connecting a datagram socket only asks whether there is somebody. */
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
