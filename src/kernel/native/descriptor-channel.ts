import { msghdrOf } from "./msghdr.ts";
import { chmodSync, renameSync, rmSync } from "node:fs";
import { cannot, StoplogError } from "../../core/errors.ts";
import {
  AF_UNIX,
  loadNative,
  MSG_DONTWAIT,
  type Native,
  openSocket,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOL_SOCKET,
} from "./libc.ts";
import { watchReadable } from "./poll.ts";
import { unixSocketAddress } from "./socket-address.ts";
import { EAGAIN, EINTR, systemError } from "./system-error.ts";

/** A message and the descriptors that came with it, which the receiver closes. */
export interface Parcel {
  readonly text: string;
  readonly descriptors: readonly number[];
}

/** A connection to another process of this machine, over which descriptors can be sent (unix(7), SCM_RIGHTS). */
export class DescriptorChannel {
  readonly #fd: number;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Waits for one connection at a path, which only its owner and root can use. Only root can name another owner than itself. */
  static async listen(path: string, signal: AbortSignal, owner = OWN_USER): Promise<DescriptorChannel> {
    const { libc } = loadNative();
    const what = `listen on ${path}`;
    const server = openSocket(libc, what, SEQUENCED);
    const temporary = `${path}.${process.pid}`;
    try {
      const address = unixSocketAddress(temporary);
      asUser(owner, () => {
        if (libc.bind(server, address, address.length) < 0) throw systemError(libc.errno());
        chmodSync(temporary, 0o600);
      });
      if (libc.listen(server, 1) < 0) throw systemError(libc.errno());
      renameSync(temporary, path);
      if (!(await readable(server, signal))) throw new Error("no connection came");
      const fd = libc.accept4(server, null, null, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (fd < 0) throw systemError(libc.errno());
      return new DescriptorChannel(fd);
    } catch (thrown) {
      throw thrown instanceof StoplogError ? thrown : cannot(what, thrown);
    } finally {
      libc.close(server);
      rmSync(temporary, { force: true });
      rmSync(path, { force: true });
    }
  }

  static connect(path: string): DescriptorChannel {
    const { libc } = loadNative();
    const fd = openSocket(libc, `connect to ${path}`, SEQUENCED);
    const address = unixSocketAddress(path);
    if (libc.connect(fd, address, address.length) === 0) return new DescriptorChannel(fd);
    const error = systemError(libc.errno());
    libc.close(fd);
    throw cannot(`connect to ${path}`, error);
  }

  /** The process at the other end, as the kernel knows it. */
  peer(): { readonly pid: number; readonly uid: number } {
    const bytes = new Uint8Array(12);
    const { libc } = loadNative();
    if (libc.getsockopt(this.#fd, SOL_SOCKET, SO_PEERCRED, bytes, new Uint32Array([bytes.length])) < 0)
      throw cannot("ask for the other process", systemError(libc.errno()));
    const [pid = 0, uid = 0] = new Int32Array(bytes.buffer);
    return { pid, uid };
  }

  /** Throws when it has more than `MOST_DESCRIPTORS`. */
  send({ text, descriptors }: Parcel): void {
    if (descriptors.length > MOST_DESCRIPTORS)
      throw new StoplogError(`Cannot send ${descriptors.length} descriptors: ${MOST_DESCRIPTORS} at most`);
    const native = loadNative();
    const bytes = Buffer.from(text);
    const control = controlOf(native, descriptors);
    const message = messageOf(native, bytes, control.subarray(0, descriptors.length === 0 ? 0 : undefined));
    if (native.libc.sendmsg(this.#fd, message, MSG_NOSIGNAL) < 0)
      throw cannot("send descriptors", systemError(native.libc.errno()));
  }

  /** The next message; null once the other process has closed its end or ended, or when the signal aborts. */
  async receive(signal: AbortSignal): Promise<Parcel | null> {
    const native = loadNative();
    const bytes = Buffer.alloc(MOST_BYTES);
    const control = controlOf(
      native,
      Array.from({ length: MOST_DESCRIPTORS }, () => -1),
    );
    const message = messageOf(native, bytes, control);
    while (await readable(this.#fd, signal)) {
      const length = native.libc.recvmsg(this.#fd, message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
      if (length > 0)
        return { text: bytes.toString("utf8", 0, length), descriptors: descriptorsIn(native, control) };
      if (length === 0) return null;
      const errno = native.libc.errno();
      if (errno !== EAGAIN && errno !== EINTR) return null;
    }
    return null;
  }

  close(): void {
    loadNative().libc.close(this.#fd);
  }
}

/** SCM_MAX_FD of net/scm.h is 253. */
export const MOST_DESCRIPTORS = 253;
/** More than the names of so many descriptors. */
const MOST_BYTES = 1 << 17;

/** The user of this process, as far as this code knows it. */
const OWN_USER = process.geteuid?.() ?? 0;

/** linux/net.h, linux/socket.h, asm-generic/socket.h */
const SOCK_SEQPACKET = 5;
const SEQUENCED = [AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0] as const;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const SO_PEERCRED = 17;

/** Acts as the owner, who may own the directory too: a path that they exchange for a link in the middle gives them nothing of root's. */
function asUser(owner: number, act: () => void): void {
  if (owner === OWN_USER) return act();
  process.seteuid?.(owner);
  try {
    act();
  } finally {
    process.seteuid?.(OWN_USER);
  }
}

/** Resolves to true when the descriptor can be read or its other end is closed, to false when the signal aborts first. */
function readable(fd: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const give = (isReadable: boolean): void => {
      signal.removeEventListener("abort", onAbort);
      watch.close();
      resolve(isReadable);
    };
    const onAbort = (): void => give(false);
    const watch = watchReadable(fd, () => give(true));
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) give(false);
  });
}

/** cmsghdr, and behind it the descriptors: size_t length, int level, int type, int[]. */
function controlOf({ koffi }: Native, descriptors: readonly number[]): Uint8Array {
  const word = koffi.sizeof("size_t");
  const head = word + 8;
  const length = head + descriptors.length * 4;
  const control = fixed(Math.ceil(length / word) * word);
  koffi.encode(control, 0, "size_t", length);
  koffi.encode(control, word, "int", SOL_SOCKET);
  koffi.encode(control, word + 4, "int", SCM_RIGHTS);
  for (const [i, fd] of descriptors.entries()) koffi.encode(control, head + i * 4, "int", fd);
  return control;
}

/** Those that came: the kernel writes the length, and leaves the rest as it was. */
function descriptorsIn({ koffi }: Native, control: Uint8Array): readonly number[] {
  const word = koffi.sizeof("size_t");
  const type = koffi.decode(control, word + 4, "int") as number;
  const length = Number(koffi.decode(control, 0, "size_t"));
  if (type !== SCM_RIGHTS) return [];
  const count = Math.floor((length - word - 8) / 4);
  const all = Array.from(
    { length: count },
    (_, i) => koffi.decode(control, word + 8 + i * 4, "int") as number,
  );
  return all.filter((fd) => fd >= 0);
}

/** One msghdr with one iovec, whose memory must outlive the call: it is kept beside it. */
function messageOf({ koffi }: Native, bytes: Uint8Array, control: Uint8Array): Uint8Array {
  types ??= {
    iovec: koffi.struct({ base: "uintptr_t", length: "size_t" }),
    msghdr: msghdrOf(koffi),
  };
  const iovec = fixed(koffi.sizeof(types.iovec));
  const message = fixed(koffi.sizeof(types.msghdr));
  koffi.encode(iovec, 0, types.iovec, { base: koffi.address(bytes), length: bytes.length });
  koffi.encode(message, 0, types.msghdr, {
    name: 0,
    nameLength: 0,
    iov: koffi.address(iovec),
    iovLength: 1,
    control: control.length === 0 ? 0 : koffi.address(control),
    controlLength: control.length,
    flags: 0,
  });
  keptAlive.set(message, [iovec, bytes, control]);
  return message;
}

/** V8 keeps small arrays on its heap and moves them, unless they have a buffer of their own. */
function fixed(length: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(length));
}

type KoffiType = ReturnType<Native["koffi"]["struct"]>;

let types: { readonly iovec: KoffiType; readonly msghdr: KoffiType } | undefined;

const keptAlive = new WeakMap<Uint8Array, readonly Uint8Array[]>();
