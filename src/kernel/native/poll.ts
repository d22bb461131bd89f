import { cannot } from "../../core/errors.ts";
import { loadNative, type Native } from "./libc.ts";
import { systemError } from "./system-error.ts";

/** A descriptor that Node's own event loop watches. Closing twice does no harm. */
export interface Watch {
  close(): void;
  /** Lets the process end although the watch is open. */
  unref(): void;
}

/**
 * Calls `onReadable` whenever the descriptor is readable or has an error. The callback reads without blocking until nothing is left or
 * its share is done; when data remains it is called again. Close the watch before the descriptor. Main thread only: libuv's default
 * loop is the main thread's.
 *
 *      descriptor ─► epoll of Node's loop ─► uv_poll_cb ─► onReadable        no thread, no timer, idle is free
 */
export function watchReadable(fd: number, onReadable: () => void): Watch {
  theLoop ??= bindLoop(loadNative());
  const loop = theLoop;
  const handle = loop.open(fd, (status) => {
    // libuv stops a handle on POLLERR (netlink: ENOBUFS, kmsg: overrun). Without arming it again no further event would arrive.
    if (status < 0) loop.arm(handle);
    onReadable();
  });
  let open = true;
  return {
    close() {
      if (open) loop.close(handle);
      open = false;
    },
    unref() {
      if (open) loop.unref(handle);
    },
  };
}

/**
 * Why `watchReadable` does not work in this Node, as a sentence; null when it works. Tried once in a process: an eventfd that is
 * readable from the start must call back within a second.
 */
export function watchFault(): Promise<string | null> {
  tried ??= tryWatching();
  return tried;
}

let theLoop: Loop | undefined;
let tried: Promise<string | null> | undefined;

interface Loop {
  open(fd: number, onEvent: (status: number) => void): bigint;
  arm(handle: bigint): void;
  close(handle: bigint): void;
  unref(handle: bigint): void;
}

/** uv.h: UV_HANDLE_TYPE_MAP and enum uv_poll_event, both part of libuv 1.x's stable ABI. */
const UV_POLL = 8;
const UV_READABLE = 1;

/**
 * Binds libuv's functions, which the node executable exports. One C callback serves all handles and finds the listener by the handle's
 * address; another serves all closed handles. Both live as long as the process, so libuv never calls a freed one.
 */
function bindLoop({ koffi, library }: Native): Loop {
  const onPoll = koffi.pointer(koffi.proto("void", ["void *", "int", "int"]));
  const onClose = koffi.pointer(koffi.proto("void", ["void *"]));
  const defaultLoop = library.func("uv_default_loop", "void *", []);
  const handleSize = library.func("uv_handle_size", "size_t", ["int"]);
  const init = library.func("uv_poll_init", "int", ["void *", "void *", "int"]);
  const start = library.func("uv_poll_start", "int", ["void *", "int", onPoll]);
  const close = library.func("uv_close", "void", ["void *", onClose]);
  const unref = library.func("uv_unref", "void", ["void *"]);

  const listeners = new Map<bigint, (status: number) => void>();
  const polled = koffi.register((handle: bigint, status: number) => {
    // An exception thrown out of this callback would be lost. Thrown on the next tick, it is an ordinary uncaught one.
    try {
      listeners.get(handle)?.(status);
    } catch (thrown) {
      process.nextTick(() => {
        throw thrown;
      });
    }
  }, onPoll);
  // libuv writes to the handle until this callback, so the memory is freed here and not earlier.
  const closed = koffi.register((handle: bigint) => koffi.free(handle), onClose);

  const loop: Loop = {
    open(fd, onEvent) {
      // Native memory: libuv keeps the address, so it must not be moved or collected.
      const handle = koffi.alloc("uint8_t", handleSize(UV_POLL) as number) as bigint;
      const error = init(defaultLoop(), handle, fd) as number;
      if (error < 0) {
        koffi.free(handle);
        throw cannot(`watch descriptor ${fd}`, systemError(-error));
      }
      try {
        loop.arm(handle);
      } catch (thrown) {
        loop.close(handle);
        throw thrown;
      }
      listeners.set(handle, onEvent);
      return handle;
    },
    arm(handle) {
      const error = start(handle, UV_READABLE, polled) as number;
      if (error < 0) throw cannot("watch a descriptor", systemError(-error));
    },
    close(handle) {
      listeners.delete(handle);
      close(handle, closed);
    },
    unref: (handle) => void unref(handle),
  };
  return loop;
}

const EFD_CLOEXEC_NONBLOCK = 0o2004000;

async function tryWatching(): Promise<string | null> {
  let fd = -1;
  let watch: Watch | undefined;
  try {
    const { libc } = loadNative();
    fd = libc.eventfd(1, EFD_CLOEXEC_NONBLOCK);
    if (fd < 0) throw systemError(libc.errno());
    const called = await new Promise<boolean>((resolve) => {
      const deadline = setTimeout(() => resolve(false), 1000);
      watch = watchReadable(fd, () => {
        clearTimeout(deadline);
        resolve(true);
      });
    });
    if (!called) throw new Error("an event did not arrive");
    return null;
  } catch (thrown) {
    return cannot("watch descriptors in Node's event loop", thrown).message;
  } finally {
    watch?.close();
    if (fd >= 0) loadNative().libc.close(fd);
  }
}
