// Sends datagrams at a steady rate, one for each address of a row: `fail 10.0.0.0`, `fail 10.0.0.1`, …. A process of its own, so that nothing
// delays it. Sends until standard input ends or `most` are sent, then prints how many it sent.
//
//   node scripts/run-ts.mjs test/support/steady-lines.ts '{"to":"udp:127.0.0.1:5514","perSecond":5000,"most":20000,"net":10}'

import { createSocket } from "node:dgram";
import { AF_UNIX, loadNative, openSocket, SOCK_CLOEXEC, SOCK_DGRAM } from "../../src/kernel/native/libc.ts";
import { unixSocketAddress } from "../../src/kernel/native/socket-address.ts";
import { systemError } from "../../src/kernel/native/system-error.ts";

const {
  to,
  perSecond,
  most,
  net = 10,
} = JSON.parse(process.argv[2] ?? "{}") as {
  readonly to: string;
  readonly perSecond: number;
  readonly most: number;
  /** The first byte of the addresses. */
  readonly net?: number;
};
const send = to.startsWith("unix:") ? unixSender(to.slice(5)) : udpSender(to);
const started = performance.now();
let sent = 0;
let wanted = true;
process.stdin.on("end", () => (wanted = false)).resume();
const timer = setInterval(() => {
  // What a busy machine delays is sent later: the rate stays.
  const due = Math.min(most, ((performance.now() - started) * perSecond) / 1000);
  for (; wanted && sent < due; sent++)
    send(`<38>sshd: fail ${net}.${sent >> 16}.${(sent >> 8) & 255}.${sent & 255}`);
  if (wanted && sent < most) return;
  clearInterval(timer);
  // The last datagrams leave in the next turns.
  setTimeout(() => process.stdout.write(`${sent}\n`, () => process.exit()), 100);
}, 1);

function udpSender(address: string): (line: string) => void {
  const [, host = "", port = ""] = address.split(":");
  const socket = createSocket("udp4");
  // While no process listens, the kernel answers with an error.
  socket.on("error", () => undefined);
  return (line) => socket.send(line, Number(port), host);
}

/** Blocks while the queue is full, as syslog daemons do. */
function unixSender(path: string): (line: string) => void {
  const { libc } = loadNative();
  const fd = openSocket(libc, "open a socket", [AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0]);
  const address = unixSocketAddress(path);
  return (line) => {
    const bytes = Buffer.from(line);
    if (libc.sendto(fd, bytes, bytes.length, 0, address, address.length) < 0) throw systemError(libc.errno());
  };
}
