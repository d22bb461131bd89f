import { once } from "node:events";
import { type AddressInfo, createServer, isIPv6, type Socket } from "node:net";
import { LIMITS } from "../../core/limits.ts";
import type { SourceStats } from "../source.ts";
import { Delivery } from "./delivery.ts";
import { FrameReader } from "./frame-reader.ts";
import type { Listener, ListenerParts } from "./listener.ts";

/**
 * Listens for TCP connections. When the store fills they are read no further until it is empty: the sender's kernel and
 * the sender keep the rest, so nothing is shed. Bounded: of too many connections the longest silent makes room for a new
 * one, and a message that was begun must come in time.
 */
export async function listenTcp(
  host: string,
  port: number,
  { store, stats, maxLine, onBroken }: ListenerParts,
): Promise<Listener> {
  /** The longest silent first. */
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
    socket.on("error", () => socket.destroy()); // the sender went away: its affair
    socket.on("close", () => {
      connection.close();
      connections.delete(socket);
    });
  });
  server.listen({ host, port, exclusive: true, ipv6Only: isIPv6(host) });
  await once(server, "listening"); // rejects with the error that comes instead
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

/** A sender that is gone without a word is noticed some minutes later, in ms. */
const KEEPALIVE_AFTER = 60_000;
/** For what a message has before its text and a line has not, in bytes. */
const HEADROOM = 1024;
/** So many bytes in the store stop the reading. */
const PAUSE_AT = 1 << 20;

/** One sender. */
class Connection {
  readonly #socket: Socket;
  readonly #stats: SourceStats;
  readonly #frames: FrameReader;
  #messages = 0;
  #patience: NodeJS.Timeout | undefined;

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
    // Drops that trickle in do not buy time; a message that was completed does.
    if (!this.#frames.partial || this.#messages !== before) {
      clearTimeout(this.#patience);
      this.#patience = undefined;
    }
    if (this.#frames.partial)
      this.#patience ??= setTimeout(() => this.#giveUp(), LIMITS.messageTime.value).unref();
  }

  end(): void {
    this.#frames.end();
  }

  close(): void {
    clearTimeout(this.#patience);
  }

  /** It is out of step or stuck: what it began is dropped, and it may connect anew. */
  #giveUp(): void {
    this.#stats.shed++;
    this.#stats.turnedAway++;
    this.#socket.destroy();
  }
}

function authority({ address, port }: AddressInfo): string {
  return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`;
}
