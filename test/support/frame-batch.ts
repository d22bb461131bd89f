import { loadNative } from "../../src/kernel/native/libc.ts";
import { EINTR, ENOBUFS, systemError } from "../../src/kernel/native/system-error.ts";
import { openRaw } from "./raw-link.ts";

/** Frames of one length, sent by sendmmsg(2) from one permanent buffer. */
export class FrameBatch {
  /** The frames in a row; each is a copy of the first until the caller changes it. */
  readonly bytes: Buffer;
  readonly #fd: number;
  readonly #messages: Buffer;
  /** Referenced so that it is not garbage-collected: the kernel reads it by address. */
  readonly #iovecs: Buffer;
  readonly #stride: number;
  readonly #send: (fd: number, messages: Uint8Array, count: number, flags: number) => number;

  constructor(index: number, slots: number, frame: Uint8Array) {
    const { koffi, library } = loadNative();
    this.#fd = openRaw(index);
    this.#send = library.func("sendmmsg", "int", ["int", "void *", "unsigned int", "int"]) as never;
    this.bytes = Buffer.allocUnsafeSlow(slots * frame.length);
    for (let i = 0; i < slots; i++) this.bytes.set(frame, i * frame.length);
    // struct iovec and struct mmsghdr of sendmmsg(2), as koffi lays them out for this machine.
    const iovec = koffi.struct({ base: "uintptr_t", length: "size_t" });
    const mmsghdr = koffi.struct({
      name: "uintptr_t",
      nameLength: "uint32_t",
      iov: "uintptr_t",
      iovLength: "size_t",
      control: "uintptr_t",
      controlLength: "size_t",
      flags: "int",
      sent: "uint32_t",
    });
    this.#stride = koffi.sizeof(mmsghdr);
    this.#iovecs = Buffer.alloc(slots * koffi.sizeof(iovec));
    this.#messages = Buffer.alloc(slots * this.#stride);
    const bytesAt = koffi.address(this.bytes);
    const iovecsAt = koffi.address(this.#iovecs);
    for (let i = 0; i < slots; i++) {
      const at = i * koffi.sizeof(iovec);
      koffi.encode(this.#iovecs, at, iovec, {
        base: bytesAt + BigInt(i * frame.length),
        length: frame.length,
      });
      koffi.encode(this.#messages, i * this.#stride, mmsghdr, {
        name: 0,
        nameLength: 0,
        iov: iovecsAt + BigInt(at),
        iovLength: 1,
        control: 0,
        controlLength: 0,
        flags: 0,
        sent: 0,
      });
    }
  }

  /** Sends the first `count` frames. */
  send(count: number): void {
    for (let sent = 0; sent < count;) {
      const done = this.#send(this.#fd, this.#messages.subarray(sent * this.#stride), count - sent, 0);
      if (done > 0) sent += done;
      else {
        const errno = loadNative().libc.errno();
        if (errno !== EINTR && errno !== ENOBUFS) throw systemError(errno);
      }
    }
  }

  close(): void {
    loadNative().libc.close(this.#fd);
  }
}
