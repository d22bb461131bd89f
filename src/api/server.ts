import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { chmod, mkdir, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { cannot, StoplogError } from "../core/errors.ts";
import { routes, type Controller } from "./routes.ts";

/**
 * Listens on the control socket. Whoever may write to it may ban and free anybody, so only its owner and group may. Rejects when a
 * living daemon has the path; a path left over by a dead one is taken over.
 */
export async function openControlSocket(
  path: string,
  controller: () => Controller,
): Promise<{ close(): Promise<void> }> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  if (await isAlive(path)) {
    throw new StoplogError(`Cannot listen on ${path}: another stoplog is running there`);
  }
  await unlink(path).catch(() => undefined);
  const server = createServer({ maxHeaderSize: 8192 }, getRequestListener(routes(controller).fetch));
  server.maxConnections = 64;
  server.requestTimeout = 10_000;
  await listen(server, path);
  await chmod(path, 0o660);
  return { close: () => close(server) };
}

function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(cannot(`listen on ${path}`, error)));
    server.listen(path, resolve);
  });
}

/** Node unlinks the socket's path when the server closes. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
