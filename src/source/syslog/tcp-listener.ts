import { once } from "node:events";
import { type AddressInfo, createServer, isIPv6, type Socket } from "node:net";
import { LIMITS } from "../../core/limits.ts";
import { takePassedSocket } from "../../kernel/native/passed-sockets.ts";
import { internetSocketName } from "../../kernel/native/socket-names.ts";
import type { SourceStats } from "../source.ts";
import { Delivery } from "./delivery.ts";
import { FrameReader } from "./frame-reader.ts";
import type { Listener, ListenerParts } from "./listener.ts";

/**
 * Listens for TCP connections. When the store fills up, reading pauses until it is empty; the senders wait, so nothing is shed.
 * Bounded: a new connection beyond the limit replaces the one that has been silent longest, and a message must be complete
 * within `LIMITS.messageTime`.
 */
export async function listenTcp(
  host: string,
  port: number,
  { store, stats, maxLine, onBroken }: ListenerParts,
): Promise<Listener> {
  /** Longest silent first. */
  const connections = new Map<Socket, Connection>();
  let paused = false;
  const resume = (): void => {
    if (!paused) return;
    paused = false;
    for (const socket of connections.keys()) socket.resume();
  };
  const delivery = new Delivery(store, { onEmpty: resume });
  const server = createServer({ keepAlive: true, keepAliveInitialDelay: KEEPALIVE_AFTER }, (socket) => {
    const [silent] = connections.keys();
    if (connections.size >= LIMITS.senders.value && silent !== undefined) {
      stats.turnedAway++;
      silent.destroy();
    }
    const connection = new Connection(socket, stats, maxLine + HEADROOM, (bytes, start, end) =>
      store.add(bytes, start, end),
    );
    connections.set(socket, connection);
    socket.on("data", (chunk) => {
      connections.delete(socket);
      connections.set(socket, connection);
      connection.push(chunk);
      delivery.soon();
      if (store.waiting <= PAUSE_AT) return;
      paused = true;
      for (const other of connections.keys()) other.pause();
    });
    socket.on("end", () => {
      connection.end();
      delivery.soon();
    });
    socket.on("error", () => socket.destroy()); // the sender is gone
    socket.on("close", () => {
      connection.close();
      connections.delete(socket);
    });
  });
  const passed = takePassedSocket(internetSocketName("tcp", host, port));
  if (passed === null) server.listen({ host, port, exclusive: true, ipv6Only: isIPv6(host) });
  else server.listen({ fd: passed, exclusive: true });
  await once(server, "listening"); // rejects on an error
  server.on("error", onBroken);
  return {
    state: `listens on tcp:${authority(server.address() as AddressInfo)}`,
    async close() {
      for (const socket of connections.keys()) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      delivery.finish();
    },
  };
}

/** Idle time before TCP keepalive probes, in ms: a sender that vanished is noticed some minutes later. */
const KEEPALIVE_AFTER = 60_000;
/** Room for the parts of a message that its line omits, in bytes. */
const HEADROOM = 1024;
/** Reading pauses at this many bytes in the store. */
const PAUSE_AT = 1 << 20;

/** One sender. */
class Connection {
  readonly #socket: Socket;
  readonly #stats: SourceStats;
  readonly #frames: FrameReader;
  #messages = 0;
  #timeout: NodeJS.Timeout | undefined;

  constructor(
    socket: Socket,
    stats: SourceStats,
    maxMessage: number,
    onMessage: (bytes: Buffer, start: number, end: number) => void,
  ) {
    this.#socket = socket;
    this.#stats = stats;
    this.#frames = new FrameReader(maxMessage, stats, (bytes, start, end) => {
      this.#messages++;
      onMessage(bytes, start, end);
    });
  }

  push(chunk: Buffer): void {
    const before = this.#messages;
    try {
      this.#frames.push(chunk);
    } catch {
      this.#giveUp();
      return;
    }
    // Only a completed message restarts the timer; a few more bytes do not.
    if (!this.#frames.partial || this.#messages !== before) {
      clearTimeout(this.#timeout);
      this.#timeout = undefined;
    }
    if (this.#frames.partial)
      this.#timeout ??= setTimeout(() => this.#giveUp(), LIMITS.messageTime.value).unref();
  }

  end(): void {
    this.#frames.end();
  }

  close(): void {
    clearTimeout(this.#timeout);
  }

  /** The sender broke the framing or is stuck: drops the partial message. The sender may connect again. */
  #giveUp(): void {
    this.#stats.shed++;
    this.#stats.turnedAway++;
    this.#socket.destroy();
  }
}

function authority({ address, port }: AddressInfo): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
