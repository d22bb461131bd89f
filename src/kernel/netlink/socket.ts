import { close } from "node:fs";
import { cannot } from "../../core/errors.ts";
import {
  AF_NETLINK,
  type Libc,
  loadNative,
  MSG_DONTWAIT,
  openSocket,
  setSocketOption,
  SO_RCVBUFFORCE,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_SOCKET,
} from "../native/libc.ts";
import { netlinkPort, netlinkSocketAddress } from "../native/socket-address.ts";
import { EAGAIN, EINTR, ENOBUFS, systemError } from "../native/system-error.ts";

/** A netlink socket. The kernel answers before `send` returns. */
export interface NetlinkSocket {
  /** The socket's netlink port. */
  readonly port: number;
  /** For watching multicast messages; -1 for a fake. */
  readonly fd: number;
  /** Sends one datagram. Throws a StoplogError whose cause carries the errno's name as `code`. */
  send(bytes: Uint8Array): void;
  /**
   * The next datagram, valid until the next call; null when none waits; "lost" when the kernel dropped some because the receive
   * buffer was full.
   */
  receive(): Uint8Array | "lost" | null;
  close(): void;
  /** Closes in the background: the kernel takes some 20 ms to close a netlink socket, and only owners of a table must wait for it. */
  closeAside(): void;
}

export interface NetlinkOptions {
  /** NETLINK_NETFILTER and the like. */
  readonly protocol: number;
  /** Multicast groups to join. */
  readonly groups?: readonly number[];
  /** Bytes. Needs CAP_NET_ADMIN; without it the kernel's default stays. */
  readonly sendBuffer?: number;
  readonly receiveBuffer?: number;
}

export const NETLINK_SOCK_DIAG = 4;
export const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;

export function openNetlink(options: NetlinkOptions): NetlinkSocket {
  const { libc } = loadNative();
  const what = "open a netlink socket";
  const fd = openSocket(libc, what, [AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, options.protocol]);
  try {
    const address = netlinkSocketAddress();
    if (libc.bind(fd, address, address.length) < 0) throw cannot(what, systemError(libc.errno()));
    // Kernels before 4.12 do not have these options: their answers are longer and say less.
    setSocketOption(libc, fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
    setSocketOption(libc, fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
    if (options.sendBuffer !== undefined) {
      setSocketOption(libc, fd, SOL_SOCKET, SO_SNDBUFFORCE, options.sendBuffer);
    }
    if (options.receiveBuffer !== undefined) {
      setSocketOption(libc, fd, SOL_SOCKET, SO_RCVBUFFORCE, options.receiveBuffer);
    }
    for (const group of options.groups ?? []) {
      if (!setSocketOption(libc, fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)) {
        throw cannot(`join netlink group ${group}`, systemError(libc.errno()));
      }
    }
    return new KernelSocket(libc, fd);
  } catch (thrown) {
    libc.close(fd);
    throw thrown;
  }
}

/** linux/netlink.h */
const SOL_NETLINK = 270;
const NETLINK_ADD_MEMBERSHIP = 1;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;

/** Larger than any datagram from the kernel: a dump comes in parts of at most 32 KiB. */
const RECEIVE_BYTES = 128 * 1024;

class KernelSocket implements NetlinkSocket {
  readonly fd: number;
  readonly port: number;
  readonly #libc: Libc;
  readonly #buffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);
  #open = true;

  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.fd = fd;
    const address = netlinkSocketAddress();
    const length = new Uint32Array([address.length]);
    if (libc.getsockname(fd, address, length) < 0)
      throw cannot("open a netlink socket", systemError(libc.errno()));
    this.port = netlinkPort(address);
  }

  send(bytes: Uint8Array): void {
    while (this.#libc.send(this.fd, bytes, bytes.length, 0) < 0) {
      const errno = this.#libc.errno();
      if (errno !== EINTR) throw cannot("send to the kernel", systemError(errno));
    }
  }

  receive(): Uint8Array | "lost" | null {
    for (;;) {
      const length = this.#libc.recv(this.fd, this.#buffer, this.#buffer.length, MSG_DONTWAIT);
      if (length >= 0) return this.#buffer.subarray(0, length);
      const errno = this.#libc.errno();
      if (errno === EAGAIN) return null;
      if (errno === ENOBUFS) return "lost";
      if (errno !== EINTR) throw cannot("receive from the kernel", systemError(errno));
    }
  }

  close(): void {
    if (this.#open) this.#libc.close(this.fd);
    this.#open = false;
  }

  closeAside(): void {
    if (this.#open) close(this.fd, () => undefined);
    this.#open = false;
  }
}
