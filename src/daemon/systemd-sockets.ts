import { nativeFault } from "../kernel/native/libc.ts";
import { closeOnExec, passSockets, unusedSockets } from "../kernel/native/passed-sockets.ts";
import { socketName } from "../kernel/native/socket-names.ts";

/**
 * Registers the sockets that systemd opened for this process (sd_listen_fds(3)): what has their address uses them. Programs that this process starts do
 * not get them.
 */
export function takeSystemdSockets(warn: (sentence: string) => void): void {
  const { LISTEN_PID: pid, LISTEN_FDS: count } = process.env;
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete process.env[name];
  const most = Number(count ?? 0);
  if (pid !== String(process.pid) || !Number.isInteger(most) || most < 1) return;
  const fault = nativeFault();
  if (fault !== null) return warn(`Cannot use the sockets that systemd opened: ${fault.replace(/^C/, "c")}`);
  const sockets = Array.from({ length: most }, (_, i) => FIRST + i).flatMap((fd) => {
    closeOnExec(fd);
    const name = socketName(fd);
    if (name === null) warn(`Cannot use descriptor ${fd} of systemd: it is not a socket that listens`);
    return name === null ? [] : [{ name, fd }];
  });
  passSockets(sockets, "systemd");
}

/** Datagrams to a socket that nothing reads stay in the kernel until its buffer is full. */
export function sayUnusedSockets(warn: (sentence: string) => void): void {
  for (const name of unusedSockets("systemd"))
    warn(`systemd opened ${name}, and nothing in the configuration listens there`);
}

/** SD_LISTEN_FDS_START */
const FIRST = 3;
