import { createServer, connect, type Server, type Socket } from "node:net";
import type { Namespace } from "./namespace.ts";

/** An echo service on all addresses of a namespace. */
export class EchoService {
  readonly #server: Server;
  readonly port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(namespace: Namespace, port = 2222): Promise<EchoService> {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.pipe(socket);
    });
    await namespace.inside(
      () => new Promise<void>((resolve, reject) => server.on("error", reject).listen(port, "::", resolve)),
    );
    return new EchoService(server, port);
  }

  stop(): void {
    this.#server.close();
  }
}

/** Connects from a namespace; null when there was no answer in time. */
export async function tryConnect(
  namespace: Namespace,
  host: string,
  port: number,
  patience = 1500,
): Promise<Socket | null> {
  // Node opens the socket in the next turn.
  const socket = await namespace.inside(async () => {
    const made = connect({ host, port });
    made.on("error", () => undefined);
    await new Promise(setImmediate);
    return made;
  });
  if (!socket.connecting) return socket.destroyed ? null : socket;
  return new Promise((resolve) => {
    const give = (result: Socket | null): void => {
      clearTimeout(timer);
      if (result === null) socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(() => give(null), patience);
    socket.once("connect", () => give(socket));
    socket.once("error", () => give(null));
  });
}

/** Whether a new connection succeeds. */
export async function reaches(namespace: Namespace, host: string, port: number): Promise<boolean> {
  const socket = await tryConnect(namespace, host, port);
  socket?.destroy();
  return socket !== null;
}

/** Whether an open connection still carries data in both directions. */
export function answers(socket: Socket, patience = 1000): Promise<boolean> {
  return new Promise((resolve) => {
    const give = (result: boolean): void => {
      clearTimeout(timer);
      socket.off("data", onData);
      resolve(result);
    };
    const onData = (): void => give(true);
    const timer = setTimeout(() => give(false), patience);
    socket.on("data", onData);
    socket.on("error", () => give(false));
    socket.write("are you there\n");
  });
}
