import type { Socket } from "node:net";
import { senderOf } from "./sender.ts";

export interface ConnectionLimits {
  /** Of all clients together. */
  readonly total: number;
  /** Of one client. */
  readonly each: number;
}

/**
 * The open connections of the API. No client has more than its share. When all are in use, the oldest connection that has not shown a valid
 * token makes room, so that clients without one cannot keep out those with one, from however many addresses they connect.
 */
export class Connections {
  readonly #limits: ConnectionLimits;
  /** By both ends; the oldest first. Includes connections before their TLS handshake, which the server does not know. */
  readonly #open = new Map<string, Connection>();
  readonly #senders = new Map<string, number>();

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Returns false when a connection was closed for lack of room: this one, or an older one in its place. */
  admit(socket: Socket): boolean {
    // Closed by its client in the meantime.
    if (socket.remoteAddress === undefined) return true;
    const sender = senderOf(socket.remoteAddress);
    const count = this.#senders.get(sender) ?? 0;
    if (count >= this.#limits.each) {
      socket.destroy();
      return false;
    }
    const isFull = this.#open.size >= this.#limits.total;
    if (isFull && !this.#evict()) {
      socket.destroy();
      return false;
    }
    const key = keyOf(socket);
    const before = this.#open.get(key);
    if (before !== undefined) this.#forget(key, before);
    const connection = { socket, sender, isProven: false };
    this.#open.set(key, connection);
    this.#senders.set(sender, (this.#senders.get(sender) ?? 0) + 1);
    socket.on("close", () => this.#forget(key, connection));
    return !isFull;
  }

  /** A request on this connection had a valid token. Also takes the socket that TLS makes of an admitted one. */
  prove(socket: Socket): void {
    const connection = this.#open.get(keyOf(socket));
    if (connection !== undefined) connection.isProven = true;
  }

  closeAll(): void {
    for (const { socket } of this.#open.values()) socket.destroy();
  }

  #evict(): boolean {
    for (const [key, connection] of this.#open) {
      if (connection.isProven) continue;
      this.#forget(key, connection);
      connection.socket.destroy();
      return true;
    }
    return false;
  }

  #forget(key: string, connection: Connection): void {
    if (this.#open.get(key) !== connection) return;
    this.#open.delete(key);
    const left = (this.#senders.get(connection.sender) ?? 1) - 1;
    if (left > 0) this.#senders.set(connection.sender, left);
    else this.#senders.delete(connection.sender);
  }
}

interface Connection {
  readonly socket: Socket;
  readonly sender: string;
  isProven: boolean;
}

function keyOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
