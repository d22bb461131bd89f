import { msghdrOf } from "./msghdr.ts";
import { cannot } from "../../core/errors.ts";
import { loadNative, MSG_DONTWAIT, type Libc, type Native } from "./libc.ts";
import { EAGAIN, EINTR, ENOBUFS, systemError } from "./system-error.ts";

/**
 * Receives many datagrams with one call of recvmmsg(2) into one buffer that is reused.
 *
 *      bytes    [ datagram 0 …      | datagram 1 …      | … ]      one slot of `maxBytes` each
 *      messages [ mmsghdr 0 | mmsghdr 1 | … ]  ─► iovecs ─► slots  written once, read through a typed array
 *
 * What `receive` left in the buffer is valid until the next call of it.
 */
export class DatagramReader {
  /** Holds the datagrams; see `offset` and `length`. */
  readonly bytes: Buffer;
  readonly maxBytes: number;
  readonly slots: number;
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #messages: Uint8Array;
  /** Kept only so that it is not collected: the kernel reads it by its address. */
  readonly #iovecs: Uint8Array;
  readonly #words: Uint32Array;
  readonly #layout: Layout;

  /** The descriptor stays the caller's to close. */
  constructor(fd: number, options: { readonly slots?: number; readonly maxBytes: number }) {
    const native = loadNative();
    this.#libc = native.libc;
    this.#fd = fd;
    this.maxBytes = options.maxBytes;
    this.slots = options.slots ?? 64;
    this.#layout = layoutOf(native);
    this.bytes = Buffer.allocUnsafeSlow(this.slots * this.maxBytes);
    this.#iovecs = new Uint8Array(this.slots * native.koffi.sizeof(this.#layout.iovec));
    this.#messages = new Uint8Array(this.slots * this.#layout.stride * 4);
    this.#words = new Uint32Array(this.#messages.buffer);
    this.#link(native);
  }

  /** How many datagrams came, 0 when none waits. Throws a StoplogError when the socket is broken. */
  receive(): number {
    for (;;) {
      const count = this.#libc.recvmmsg(this.#fd, this.#messages, this.slots, MSG_DONTWAIT, null);
      if (count >= 0) return count;
      const errno = this.#libc.errno();
      if (errno === EAGAIN) return 0;
      if (errno !== EINTR && errno !== ENOBUFS) throw cannot("receive datagrams", systemError(errno));
    }
  }

  /** Where the i-th datagram begins in `bytes`. */
  offset(i: number): number {
    return i * this.maxBytes;
  }

  /** Bytes of the i-th datagram that are there, at most `maxBytes`. */
  length(i: number): number {
    return this.#words[i * this.#layout.stride + this.#layout.length]!;
  }

  /** True when the i-th datagram was longer than `maxBytes`; the rest is lost. */
  truncated(i: number): boolean {
    return (this.#words[i * this.#layout.stride + this.#layout.flags]! & MSG_TRUNC) !== 0;
  }

  #link({ koffi }: Native): void {
    const { iovec, mmsghdr, stride } = this.#layout;
    const slotsAt = koffi.address(this.bytes);
    const iovecsAt = koffi.address(this.#iovecs);
    const iovecSize = koffi.sizeof(iovec);
    for (let i = 0; i < this.slots; i++) {
      const slot = { base: slotsAt + BigInt(this.offset(i)), length: this.maxBytes };
      koffi.encode(this.#iovecs, i * iovecSize, iovec, slot);
      koffi.encode(this.#messages, i * stride * 4, mmsghdr, {
        header: {
          name: 0,
          nameLength: 0,
          iov: iovecsAt + BigInt(i * iovecSize),
          iovLength: 1,
          control: 0,
          controlLength: 0,
          flags: 0,
        },
        length: 0,
      });
    }
  }
}

/** MSG_TRUNC of linux/socket.h. */
const MSG_TRUNC = 0x20;

/** Offsets in an array of mmsghdr, in 32-bit words, from koffi: LP64 and ILP32 differ. */
interface Layout {
  readonly iovec: KoffiType;
  readonly mmsghdr: KoffiType;
  readonly stride: number;
  readonly length: number;
  readonly flags: number;
}

type KoffiType = ReturnType<Native["koffi"]["struct"]>;

let theLayout: Layout | undefined;

function layoutOf({ koffi }: Native): Layout {
  if (theLayout !== undefined) return theLayout;
  const iovec = koffi.struct({ base: "uintptr_t", length: "size_t" });
  const msghdr = msghdrOf(koffi);
  const mmsghdr = koffi.struct({ header: msghdr, length: "uint32_t" });
  theLayout = {
    iovec,
    mmsghdr,
    stride: koffi.sizeof(mmsghdr) / 4,
    length: koffi.offsetof(mmsghdr, "length") / 4,
    flags: (koffi.offsetof(mmsghdr, "header") + koffi.offsetof(msghdr, "flags")) / 4,
  };
  return theLayout;
}
