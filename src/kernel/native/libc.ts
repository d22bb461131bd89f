import { createRequire } from "node:module";
import type koffiModule from "koffi";
import { cannot, factOf, StoplogError } from "../../core/errors.ts";
import { systemError } from "./system-error.ts";

/**
 * The calls of libc that Node does not offer, through koffi. They are found in the running process itself: no library is opened by
 * name, so glibc and musl both work. Numbers are as in C: -1 is a failure, and `errno()` must be read before any other call.
 */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  listen(fd: number, backlog: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  accept4(fd: number, address: null, length: null, flags: number): number;
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  sendto(
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    to: Uint8Array,
    toLength: number,
  ): number;
  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  /** `messages` is an array of `count` mmsghdr; see datagrams.ts. */
  recvmmsg(fd: number, messages: Uint8Array, count: number, flags: number, timeout: null): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, name: number, value: Uint8Array, length: Uint32Array): number;
  getsockname(fd: number, address: Uint8Array, length: Uint32Array): number;
  read(fd: number, bytes: Uint8Array, length: number): number;
  write(fd: number, bytes: Uint8Array, length: number): number;
  /** Offsets of up to 31 bits. */
  lseek(fd: number, offset: number, whence: number): number;
  close(fd: number): number;
  /** `message` is one msghdr; see descriptor-channel.ts. */
  sendmsg(fd: number, message: Uint8Array, flags: number): number;
  recvmsg(fd: number, message: Uint8Array, flags: number): number;
  /** Commands with an argument of type int only. */
  fcntl(fd: number, command: number, argument: number): number;
  eventfd(value: number, flags: number): number;
  /** `operation` is LOCK_EX, LOCK_NB. */
  flock(fd: number, operation: number): number;
  /** Moves the calling thread into the namespace of the descriptor. */
  setns(fd: number, kind: number): number;
  errno(): number;
}

/** koffi and what was loaded with it, once in a process. */
export interface Native {
  readonly koffi: Koffi;
  readonly library: Library;
  readonly libc: Libc;
}

/** Throws a StoplogError ('Cannot load koffi: …') when koffi is not installed, or not for this machine. */
export function loadNative(): Native {
  loaded ??= load();
  if (loaded instanceof StoplogError) throw loaded;
  return loaded;
}

/** Why `loadNative` would throw, as a sentence; null when it works. */
export function nativeFault(): string | null {
  loaded ??= load();
  return loaded instanceof StoplogError ? loaded.message : null;
}

/** An open socket. Throws a StoplogError `Cannot ${what}: …`. */
export function openSocket(
  libc: Libc,
  what: string,
  [domain, type, protocol]: readonly [domain: number, type: number, protocol: number],
): number {
  const fd = libc.socket(domain, type, protocol);
  if (fd < 0) throw cannot(what, systemError(libc.errno()));
  return fd;
}

/** Sets an option of type int; answers whether the kernel accepted it. */
export function setSocketOption(libc: Libc, fd: number, level: number, name: number, value: number): boolean {
  const bytes = new Int32Array([value]);
  return libc.setsockopt(fd, level, name, new Uint8Array(bytes.buffer), 4) === 0;
}

// Values of the generic ABI (asm-generic/socket.h, linux/socket.h), the same on x86, ARM and RISC-V.
export const AF_UNIX = 1;
export const AF_NETLINK = 16;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_SOCKET = 1;
export const SO_SNDBUFFORCE = 32;
export const SO_RCVBUFFORCE = 33;
export const MSG_DONTWAIT = 0x40;

let loaded: Native | StoplogError | undefined;

type Koffi = typeof koffiModule;
type Library = ReturnType<Koffi["load"]>;

function load(): Native | StoplogError {
  try {
    // Required at run time: koffi is an optional dependency, which the bundle leaves out.
    const koffi = createRequire(import.meta.url)("koffi") as Koffi;
    const library = koffi.load(null);
    return { koffi, library, libc: bindLibc(koffi, library) };
  } catch (thrown) {
    const first = factOf(thrown).split("\n")[0] as string;
    const missing = (thrown as NodeJS.ErrnoException | null)?.code === "MODULE_NOT_FOUND";
    return cannot("load koffi", missing ? "it is not installed" : first.replace(/\.$/, ""));
  }
}

/** `ssize_t` is `long` on every Linux; koffi does not know the name. */
function bindLibc(koffi: Koffi, library: Library): Libc {
  const f = (result: string, name: string, ...types: string[]): never =>
    library.func(name, result, types) as never;
  return {
    socket: f("int", "socket", "int", "int", "int"),
    bind: f("int", "bind", "int", "const void *", "uint32_t"),
    listen: f("int", "listen", "int", "int"),
    connect: f("int", "connect", "int", "const void *", "uint32_t"),
    accept4: f("int", "accept4", "int", "void *", "void *", "int"),
    send: f("long", "send", "int", "const void *", "size_t", "int"),
    sendto: f("long", "sendto", "int", "const void *", "size_t", "int", "const void *", "uint32_t"),
    recv: f("long", "recv", "int", "void *", "size_t", "int"),
    recvmmsg: f("int", "recvmmsg", "int", "void *", "unsigned int", "int", "void *"),
    setsockopt: f("int", "setsockopt", "int", "int", "int", "const void *", "uint32_t"),
    getsockopt: f("int", "getsockopt", "int", "int", "int", "void *", "void *"),
    getsockname: f("int", "getsockname", "int", "void *", "void *"),
    read: f("long", "read", "int", "void *", "size_t"),
    write: f("long", "write", "int", "const void *", "size_t"),
    lseek: f("long", "lseek", "int", "long", "int"),
    close: f("int", "close", "int"),
    sendmsg: f("long", "sendmsg", "int", "const void *", "int"),
    recvmsg: f("long", "recvmsg", "int", "void *", "int"),
    fcntl: f("int", "fcntl", "int", "int", "int"),
    eventfd: f("int", "eventfd", "unsigned int", "int"),
    flock: f("int", "flock", "int", "int"),
    setns: f("int", "setns", "int", "int"),
    errno: () => koffi.errno(),
  };
}
