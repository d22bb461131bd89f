import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { endianness } from "node:os";
import { addressToBytes, parseAddress } from "../../core/address.ts";
import { LIMITS } from "../../core/limits.ts";
import {
  loadNative,
  nativeFault,
  setSocketOption,
  SO_RCVBUFFORCE,
  SOL_SOCKET,
} from "../../kernel/native/libc.ts";
import { takePassedSocket } from "../../kernel/native/passed-sockets.ts";
import { internetSocketName, ownSockets } from "../../kernel/native/socket-names.ts";
import { Delivery } from "./delivery.ts";
import type { Listener, ListenerParts } from "./listener.ts";

/** Listens for UDP datagrams. The kernel drops datagrams while its buffer is full; the listener counts them. */
export async function listenUdp(
  host: string,
  port: number,
  { store, stats, onBroken }: ListenerParts,
): Promise<Listener> {
  const socket = createSocket({ type: isIPv6(host) ? "udp6" : "udp4", ipv6Only: isIPv6(host) });
  const delivery = new Delivery(store);
  const drops = new KernelDrops(socket, (count) => (stats.shed += count));
  socket.on("message", (message) => {
    store.addDatagram(message, 0, message.length);
    delivery.soon();
    drops.lookSoon();
  });
  const passed = takePassedSocket(internetSocketName("udp", host, port));
  // Before the bind: with a descriptor the event comes at once.
  const listening = once(socket, "listening");
  if (passed === null) socket.bind({ address: host, port, exclusive: true });
  else socket.bind({ fd: passed, exclusive: true });
  try {
    await listening; // rejects on an error
  } catch (thrown) {
    socket.close();
    throw thrown;
  }
  socket.on("error", onBroken);
  growBuffer(socket);
  return {
    state: `listens on udp:${authority(socket)}, buffer of ${socket.getRecvBufferSize() >>> 10} KiB`,
    async close() {
      drops.look();
      drops.close();
      await new Promise<void>((resolve) => socket.close(resolve));
      delivery.finish();
    },
  };
}

/** The state shows the size. Without the privilege CAP_NET_ADMIN, net.core.rmem_max may allow less. */
function growBuffer(socket: Socket): void {
  const bytes = LIMITS.udpBytes.value;
  try {
    socket.setRecvBufferSize(bytes);
  } catch {
    // Keep the kernel's default.
  }
  if (nativeFault() !== null) return;
  const { address, port } = socket.address();
  const name = internetSocketName("udp", address, port);
  for (const own of ownSockets())
    if (own.name === name) setSocketOption(loadNative().libc, own.fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes);
}

function authority(socket: Socket): string {
  const { address, port } = socket.address();
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Counts datagrams that the kernel dropped; reads the kernel's counter once a second while datagrams arrive. */
class KernelDrops {
  readonly #socket: Socket;
  readonly #onDropped: (count: number) => void;
  #seen = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, onDropped: (count: number) => void) {
    this.#socket = socket;
    this.#onDropped = onDropped;
  }

  lookSoon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.look();
    }, 1000).unref();
  }

  look(): void {
    const { address, port, family } = this.#socket.address();
    const now = dropsOf(address, port, family === "IPv6" ? "/proc/net/udp6" : "/proc/net/udp");
    if (now > this.#seen) this.#onDropped(now - this.#seen);
    this.#seen = Math.max(this.#seen, now);
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

/** The last column of the socket's row in /proc/net/udp (net/ipv4/udp.c). The row is found by the address in hexadecimal words. */
function dropsOf(address: string, port: number, table: string): number {
  const parsed = parseAddress(address);
  if (parsed === null) return 0;
  const words = addressToBytes(parsed);
  if (endianness() === "LE") Buffer.from(words.buffer).swap32();
  const key = `: ${Buffer.from(words).toString("hex")}:${port.toString(16).padStart(4, "0")} `.toUpperCase();
  try {
    const row = readFileSync(table, "latin1")
      .split("\n")
      .find((line) => line.includes(key));
    return Number(row?.trim().split(/\s+/).at(-1) ?? 0);
  } catch {
    return 0;
  }
}
