import { closeSync, constants, openSync } from "node:fs";
import { StoplogError } from "../../core/errors.ts";
import { loadNative } from "../../kernel/native/libc.ts";
import { EAGAIN, EINTR, EPIPE, systemError } from "../../kernel/native/system-error.ts";

/** What gives one record with each read. */
export interface RecordDevice {
  readonly fd: number;
  /** Bytes of the next record; null when none waits; "overrun" when the kernel has overwritten some that were not read. */
  read(into: Buffer): number | "overrun" | null;
  close(): void;
}

/** Opens /dev/kmsg, or what is like it, at its oldest record. Throws a StoplogError or an error of the system. */
export function openRecordDevice(path: string): RecordDevice {
  const { libc } = loadNative();
  const fd = openDevice(path);
  return {
    fd,
    read(into) {
      for (;;) {
        const length = libc.read(fd, into, into.length);
        if (length > 0) return length;
        if (length === 0) throw new StoplogError("it has come to an end");
        const errno = libc.errno();
        if (errno === EAGAIN) return null;
        if (errno === EPIPE) return "overrun";
        if (errno !== EINTR) throw systemError(errno);
      }
    },
    close: () => closeSync(fd),
  };
}

function openDevice(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EPERM") throw thrown;
    throw new StoplogError("it takes the capability CAP_SYSLOG, or the sysctl kernel.dmesg_restrict=0", {
      cause: thrown,
    });
  }
}
