// Prints the kernel's bans as they happen: each element added to a set of nftables in this network namespace.
// It listens to the kernel's notifications, sent when a transaction is committed, and has its own
// parser, independent of Stoplog's netlink code.
//
//   node watch-sets.mjs TABLE        one line for each ban: nanoseconds of the monotonic clock, a blank, the address
//
// Formats: linux/netlink.h, linux/netfilter/nfnetlink.h and nf_tables.h.

import { writeSync } from "node:fs";
import {
  AF_NETLINK,
  loadNative,
  MSG_DONTWAIT,
  openSocket,
  SO_RCVBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_SOCKET,
  setSocketOption,
} from "../../src/kernel/native/libc.ts";
import { addressFromBytes, formatAddress } from "../../src/core/address.ts";

const table = process.argv[2] ?? "";
const { libc, library } = loadNative();
const poll = library.func("int poll(void *fds, unsigned long count, int timeout)") as (
  fds: Uint8Array,
  count: number,
  timeout: number,
) => number;

const NETLINK_NETFILTER = 12;
/** nfnetlink group 7, as a bit of bind's mask of groups. */
const GROUP_NFTABLES = 1 << (7 - 1);
const NFT_MSG_NEWSETELEM = (10 << 8) | 12;
const POLLIN = 1;
const ENOBUFS = 105;

const fd = openSocket(libc, "open a netlink socket", [
  AF_NETLINK,
  SOCK_RAW | SOCK_CLOEXEC,
  NETLINK_NETFILTER,
]);
// sockaddr_nl: family, pad, port 0 (the kernel's choice), groups.
const where = Buffer.alloc(12);
where.writeUInt16LE(AF_NETLINK, 0);
where.writeUInt32LE(GROUP_NFTABLES, 8);
if (libc.bind(fd, where, where.length) !== 0) throw new Error("Cannot listen to nftables: bind was refused");
setSocketOption(libc, fd, SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20);

const pollFd = Buffer.alloc(8);
pollFd.writeInt32LE(fd, 0);
pollFd.writeInt16LE(POLLIN, 4);
const buffer = Buffer.alloc(1 << 20);
writeSync(1, "listening\n");
for (;;) {
  // Blocks in steps, so that signals are handled: this process has nothing else to do.
  if (poll(pollFd, 1, 200) <= 0) {
    await new Promise((resolve) => setImmediate(resolve));
    continue;
  }
  let lines = "";
  for (;;) {
    const size = libc.recv(fd, buffer, buffer.length, MSG_DONTWAIT);
    if (size < 0 && libc.errno() === ENOBUFS) lines += "lost\n";
    if (size <= 0) break;
    const now = process.hrtime.bigint();
    for (const address of banned(buffer.subarray(0, size))) lines += `${now} ${address}\n`;
  }
  for (let rest = Buffer.from(lines); rest.length > 0;) rest = rest.subarray(write(rest));
}

function write(bytes: Buffer): number {
  try {
    return writeSync(1, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
    throw error;
  }
}

/** The addresses in all NEWSETELEM messages of our table. */
function* banned(bytes: Buffer): Generator<string> {
  for (let at = 0; at + 20 <= bytes.length;) {
    const length = bytes.readUInt32LE(at);
    if (length < 20) return;
    // Attributes follow the headers of netlink (16 bytes) and nfnetlink (4 bytes).
    if (bytes.readUInt16LE(at + 4) === NFT_MSG_NEWSETELEM) {
      const body = attributes(bytes, at + 20, at + length);
      if (textOf(body.get(1)) === table) yield* elements(body.get(3));
    }
    at += (length + 3) & ~3;
  }
}

function* elements(list: Buffer | undefined): Generator<string> {
  if (list === undefined) return;
  for (let at = 0; at + 4 <= list.length;) {
    const length = list.readUInt16LE(at);
    if (length < 4) return;
    const element = attributes(list, at + 4, at + length);
    const key = attributes(element.get(1) ?? Buffer.alloc(0)).get(1);
    if (key?.length === 4 || key?.length === 16) yield formatAddress(addressFromBytes(key, 0, key.length));
    at += (length + 3) & ~3;
  }
}

function attributes(bytes: Buffer, start = 0, end = bytes.length): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = start; at + 4 <= end;) {
    const length = bytes.readUInt16LE(at);
    if (length < 4) break;
    // The two upper bits are flags.
    found.set(bytes.readUInt16LE(at + 2) & 0x3fff, bytes.subarray(at + 4, at + length));
    at += (length + 3) & ~3;
  }
  return found;
}

function textOf(bytes: Buffer | undefined): string {
  return bytes === undefined ? "" : bytes.toString("latin1").replace(/\0.*/, "");
}
