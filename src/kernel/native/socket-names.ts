import { readdirSync, readlinkSync } from "node:fs";
import { endianness } from "node:os";
import { addressFromBytes, formatAddress, isV4, parseAddress } from "../../core/address.ts";
import { AF_INET, AF_INET6 } from "../sock-diag/socket-list.ts";
import { AF_UNIX, loadNative, SOCK_DGRAM, SOL_SOCKET } from "./libc.ts";

/**
 * The name of a socket that receives: `udp:127.0.0.1:5514`, `tcp:[::1]:8443`, `unix:/PATH` for datagrams, `stream:/PATH` for connections. Null for
 * sockets that receive from one peer only, and for other descriptors.
 */
export function socketName(fd: number): string | null {
  const address = addressOf(fd);
  if (address === null) return null;
  const isDatagram = option(fd, SO_TYPE) === SOCK_DGRAM;
  if (!isDatagram && option(fd, SO_ACCEPTCONN) !== 1) return null;
  const family = familyOf(address);
  if (family === AF_INET) return internetName(isDatagram ? "udp" : "tcp", address, 4);
  if (family === AF_INET6) return internetName(isDatagram ? "udp" : "tcp", address, 8);
  const path = boundPath(fd);
  return path === null ? null : `${isDatagram ? "unix" : "stream"}:${renamed.get(path) ?? path}`;
}

/** The same for an address of the configuration. */
export function internetSocketName(kind: "udp" | "tcp", host: string, port: number): string {
  const address = parseAddress(host);
  if (address === null) return `${kind}:${host}:${port}`;
  const text = formatAddress(address);
  return `${kind}:${isV4(address) ? text : `[${text}]`}:${port}`;
}

/** Sockets of this process that receive. */
export function ownSockets(): readonly { readonly name: string; readonly fd: number }[] {
  return readdirSync(FOLDER).flatMap((entry) => {
    const fd = Number(entry);
    const name = isSocket(fd) ? socketName(fd) : null;
    return name === null ? [] : [{ name, fd }];
  });
}

/** Notes where the path of a UNIX socket is that was renamed: the kernel tells the path to which it was bound. */
export function noteSocketPath(fd: number, path: string): void {
  const bound = boundPath(fd);
  if (bound !== null && bound !== path) renamed.set(bound, path);
}

export function forgetSocketPath(path: string): void {
  for (const [bound, now] of renamed) if (now === path) renamed.delete(bound);
}

/** By the path to which the socket was bound. At most as many as the process has UNIX sockets. */
const renamed = new Map<string, string>();

const FOLDER = "/proc/self/fd";

/** asm-generic/socket.h */
const SO_TYPE = 3;
const SO_ACCEPTCONN = 30;

function addressOf(fd: number): Uint8Array | null {
  const address = new Uint8Array(128);
  const length = new Uint32Array([address.length]);
  if (loadNative().libc.getsockname(fd, address, length) < 0) return null;
  return address.subarray(0, length[0]);
}

function familyOf(address: Uint8Array): number {
  return endianness() === "LE" ? address[0]! : address[1]!;
}

/** Null for a socket that is not bound to a path. */
function boundPath(fd: number): string | null {
  const address = addressOf(fd);
  if (address === null || familyOf(address) !== AF_UNIX) return null;
  const [path = ""] = Buffer.from(address.subarray(2)).toString().split("\0");
  return path === "" ? null : path;
}

function isSocket(fd: number): boolean {
  try {
    return readlinkSync(`${FOLDER}/${fd}`).startsWith("socket:");
  } catch {
    return false; // closed since the folder was read
  }
}

function option(fd: number, name: number): number {
  const bytes = new Uint8Array(4);
  loadNative().libc.getsockopt(fd, SOL_SOCKET, name, bytes, new Uint32Array([bytes.length]));
  return new Int32Array(bytes.buffer)[0]!;
}

/** sockaddr_in and sockaddr_in6: the port is at 2, in network order. */
function internetName(kind: "udp" | "tcp", bytes: Uint8Array, at: 4 | 8): string {
  const address = addressFromBytes(bytes, at, at === 4 ? 4 : 16);
  const text = formatAddress(address);
  const port = (bytes[2]! << 8) | bytes[3]!;
  return `${kind}:${at === 4 ? text : `[${text}]`}:${port}`;
}
