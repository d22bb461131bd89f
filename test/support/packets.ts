import { createSocket, type Socket as Datagrams } from "node:dgram";
import { once } from "node:events";
import { connect as connectTo, createServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Namespace } from "./namespace.ts";

/** What became of an attempt: "connected", an error's code, or "silence" when nothing came back, as when it was dropped. */
export type Attempt = string;

/** A TCP server inside a namespace that keeps what it receives. */
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

/** Connects out of a namespace. The socket is the caller's to end. */
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
    return await Promise.race([outcome, sleep(patience, "silence")]);
  } finally {
    socket.destroy();
  }
}

function start(from: Namespace, host: string, port: number) {
  return from.inside(async () => {
    const socket = connectTo({ host, port });
    const outcome = new Promise<Attempt>((resolve) => {
      socket.once("connect", () => resolve("connected"));
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    });
    // The descriptor comes to be in the next tick.
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

/** Asks again and again until it is so; fails after `deadline` milliseconds. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  deadline = 30_000,
): Promise<void> {
  const end = Date.now() + deadline;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`Cannot wait any longer until ${what}`);
    await sleep(20);
  }
}
