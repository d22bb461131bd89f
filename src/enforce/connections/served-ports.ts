import { readFileSync } from "node:fs";
import { Encoder } from "../../kernel/netlink/encoder.ts";
import { messagesIn, NLMSG_DONE, NLMSG_ERROR } from "../../kernel/netlink/message.ts";
import type { NetlinkSocket } from "../../kernel/netlink/socket.ts";
import { localPort, type SocketKind, writeListenersRequest } from "../../kernel/sock-diag/socket-list.ts";

/** The ports at which a socket waits for other machines. A connection there was opened by the other machine. */
export function servedPorts(kind: SocketKind, socket: NetlinkSocket): ReadonlySet<number> {
  const e = new Encoder(128);
  writeListenersRequest(e, 1, kind);
  socket.send(e.bytes);
  const ports = new Set<number>();
  for (let bytes = socket.receive(); bytes !== null && bytes !== "lost"; bytes = socket.receive()) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const { type, start } of messagesIn(bytes)) {
      if (type === NLMSG_DONE || type === NLMSG_ERROR) return ports;
      ports.add(localPort(view, start));
    }
  }
  return ports;
}

/** Whether the kernel may have chosen a local port for a connection that this machine opened: then only a listener tells. */
export function isChosenByKernel(port: number): boolean {
  const [low = 32_768, high = 60_999] = (range ??= readRange());
  return port >= low && port <= high;
}

let range: readonly number[] | null = null;

function readRange(): readonly number[] {
  try {
    return readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "latin1").trim().split(/\s+/).map(Number);
  } catch {
    return []; // no /proc: the kernel's defaults
  }
}
