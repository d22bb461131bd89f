import { closeSync, constants, openSync } from "node:fs";
import { StoplogError } from "../../core/errors.ts";
import { loadNative } from "../../kernel/native/libc.ts";
import { EAGAIN, EINTR, EPIPE, systemError } from "../../kernel/native/system-error.ts";

/** A device that returns one record per read. */
export interface RecordDevice {
  readonly fd: number;
  /** Reads the next record and returns its length. Null when none waits; "overrun" when the kernel has overwritten unread records. */
  read(into: Buffer): number | "overrun" | null;
  close(): void;
}

/** Opens /dev/kmsg, or a compatible file, at its oldest record. Throws a StoplogError or a system error. */
export function openRecordDevice(path: string): RecordDevice {
  const { libc } = loadNative();
  const fd = openDevice(path);
  return {
    fd,
    read(into) {
      for (;;) {
        const length = libc.read(fd, into, into.length);
        if (length > 0) return length;
        if (length === 0) throw new StoplogError("end of file");
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
    throw new StoplogError("it needs CAP_SYSLOG, or kernel.dmesg_restrict=0", {
      cause: thrown,
    });
  }
}
