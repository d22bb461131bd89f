import { createSocket, type Socket as Datagrams } from "node:dgram";
import { once } from "node:events";
import { connect as connectTo, createServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Namespace } from "./namespace.ts";

/** Result of an attempt: "connected", an error code, or "silence" when there was no answer, as for a dropped packet. */
export type Attempt = string;

/** A TCP server inside a namespace that records what it receives. */
export class Listener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  received = "";

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("data", (bytes) => (this.received += bytes.toString("latin1")));
      socket.on("error", () => {});
    });
  }

  static async open(namespace: Namespace, port: number): Promise<Listener> {
    const server = createServer();
    await namespace.inside(async () => {
      server.listen(port, "::");
      await once(server, "listening");
    });
    return new Listener(server);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

/** Connects from a namespace. The caller ends the socket. */
export async function dial(from: Namespace, host: string, port: number): Promise<Socket> {
  const { socket, outcome } = await start(from, host, port);
  const became = await outcome;
  if (became !== "connected") throw new Error(`Cannot connect to ${host}: ${became}`);
  return socket;
}

/** Tries to connect for `patience` milliseconds. */
export async function attempt(from: Namespace, host: string, port: number, patience = 300): Promise<Attempt> {
  const { socket, outcome } = await start(from, host, port);
  try {
    return await Promise.race([outcome, silence(patience)]);
  } finally {
    socket.destroy();
  }
}

/** On a busy machine the timer may be due before Node has looked at the socket: one more turn reads what has arrived. */
async function silence(milliseconds: number): Promise<Attempt> {
  await sleep(milliseconds);
  await nextTurn();
  await nextTurn();
  return "silence";
}

function start(from: Namespace, host: string, port: number) {
  return from.inside(async () => {
    const socket = connectTo({ host, port });
    const outcome = new Promise<Attempt>((resolve) => {
      socket.once("connect", () => resolve("connected"));
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    });
    // Node opens the socket in the next turn.
    await nextTurn();
    return { socket, outcome };
  });
}

/** A UDP socket inside a namespace. */
export async function datagrams(
  namespace: Namespace,
  bind?: { port: number; address: string },
): Promise<Datagrams> {
  const socket = createSocket(bind?.address.includes(":") === true ? "udp6" : "udp4");
  await namespace.inside(async () => {
    socket.bind(bind?.port ?? 0, bind?.address);
    await once(socket, "listening");
  });
  return socket;
}
