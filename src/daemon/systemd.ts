import { AF_UNIX, loadNative, nativeFault } from "../kernel/native/libc.ts";
import { unixSocketAddress } from "../kernel/native/socket-address.ts";

/**
 * Sends a state (`READY=1`, `WATCHDOG=1`, `STOPPING=1`; sd_notify(3)) to systemd if it runs this process as a notify service. Returns whether it
 * was sent: without koffi there are no UNIX datagrams.
 */
export function notifySystemd(state: string): boolean {
  const path = process.env["NOTIFY_SOCKET"];
  if (path === undefined || path === "" || nativeFault() !== null) return false;
  const { libc } = loadNative();
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) return false;
  try {
    const address = path.startsWith("@") ? abstractAddress(path) : unixSocketAddress(path);
    const bytes = Buffer.from(state);
    return libc.sendto(fd, bytes, bytes.length, MSG_NOSIGNAL, address, address.length) === bytes.length;
  } finally {
    libc.close(fd);
  }
}

/** Milliseconds between two WATCHDOG=1, half of what systemd allows; null without a watchdog. */
export function watchdogPeriod(): number | null {
  const micros = Number(process.env["WATCHDOG_USEC"] ?? 0);
  const isOurs = [undefined, String(process.pid)].includes(process.env["WATCHDOG_PID"]);
  return isOurs && micros > 0 ? micros / 2000 : null;
}

/** linux/net.h and linux/socket.h */
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
const MSG_NOSIGNAL = 0x4000;

/** unix(7): the name of an abstract socket starts with a NUL, written `@`, and has no NUL at its end. */
function abstractAddress(path: string): Uint8Array {
  const address = unixSocketAddress(path).slice(0, -1);
  address[2] = 0;
  return address;
}
