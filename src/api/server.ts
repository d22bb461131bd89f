import { chmod, lstat, mkdir, rename, unlink } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { cannot, StoplogError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { MAX_SOCKET_PATH } from "../core/paths.ts";
import { nativeFault } from "../kernel/native/libc.ts";
import { isOfSystemd, takePassedSocket } from "../kernel/native/passed-sockets.ts";
import { namesAreShared } from "../kernel/native/shared-names.ts";
import { noteSocketPath, ownSockets } from "../kernel/native/socket-names.ts";
import { readBody, send } from "./exchange.ts";
import { failure } from "./reply.ts";
import { answer, type Controller } from "./routes.ts";
import { counter, type CountsOf, declareMetrics } from "../core/metrics.ts";

/** What the control socket refused. */
export const CONTROL_METRICS = declareMetrics(
  { at: "control" },
  {
    turnedAway: counter(
      "stoplog_control_connections_refused_total",
      "Connections to the control socket over its limit.",
    ),
    tooLong: counter(
      "stoplog_control_requests_refused_total",
      "Requests on the control socket whose body was too long or broke off.",
    ),
  },
);

export type ControlStats = CountsOf<typeof CONTROL_METRICS>;

/**
 * Listens on the control socket. Its clients may ban and unban any address, so only its owner and group can connect. Rejects when a
 * running daemon has the path; a socket that a dead one left is replaced. The controller is looked up for each request.
 */
export async function openControlSocket(
  path: string,
  controller: () => Controller,
  stats: ControlStats = CONTROL_METRICS.zero(),
): Promise<{ close(): Promise<void> }> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH) {
    throw new StoplogError(`Cannot listen on ${path}: the path is longer than ${MAX_SOCKET_PATH} bytes`);
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o755 }).catch((error: unknown) => {
    throw cannot(`listen on ${path}`, error);
  });
  const passed = takePassedSocket(`stream:${path}`);
  if (passed === null) {
    // A daemon of an earlier version holds no lock.
    if (await isAlive(path))
      throw new StoplogError(`Cannot listen on ${path}: another stoplog is running there`);
    await removeSocket(path);
  }
  const server = createServer(TIMES, (request, response) => {
    void serve(request, response, controller(), stats);
  });
  server.maxConnections = LIMITS.controlConnections.value;
  server.on("drop", () => stats.turnedAway++);
  if (passed === null) await listenAt(server, path);
  else await listen(server, { fd: passed }, path);
  return {
    async close() {
      await close(server);
      if (!namesAreShared() && !isOfSystemd(`stream:${path}`)) await unlink(path).catch(() => undefined);
    },
  };
}

/**
 * Under another name first: no other user can connect before the permissions are right. And when it closes, Node unlinks the name that it knows,
 * which is not the path any more: a daemon that takes over goes on listening there.
 */
async function listenAt(server: Server, path: string): Promise<void> {
  const temporary = join(
    dirname(path),
    `.${process.pid.toString(36)}${Math.random().toString(36).slice(2, 6)}`,
  );
  // Only with a path that ends with a name of one or two letters.
  if (Buffer.byteLength(temporary) > MAX_SOCKET_PATH)
    throw new StoplogError(`Cannot listen on ${path}: the folder's path is too long`);
  await listen(server, { path: temporary }, path);
  await chmod(temporary, 0o660);
  await rename(temporary, path);
  if (nativeFault() !== null) return;
  for (const { name, fd } of ownSockets()) if (name === `stream:${temporary}`) noteSocketPath(fd, path);
}

/** Node looks at the time limits every 30 s otherwise. */
const TIMES = { maxHeaderSize: 8192, requestTimeout: 10_000, connectionsCheckingInterval: 1000 };
const MOST_BODY_BYTES = LIMITS.requestBytes.value;

/** Removes the socket that a dead daemon left, and nothing else. */
async function removeSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null);
  if (found === null) return;
  if (!found.isSocket())
    throw new StoplogError(`Cannot listen on ${path}: it is not a socket; remove it, or name another path`);
  await unlink(path).catch((error: unknown) => {
    throw cannot(`replace the socket ${path}`, error);
  });
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

function listen(
  server: Server,
  where: { readonly fd: number } | { readonly path: string },
  path: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(cannot(`listen on ${path}`, error)));
    server.listen(where, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  controller: Controller,
  stats: ControlStats,
): Promise<void> {
  response.on("error", () => undefined);
  const body = await readBody(request, MOST_BODY_BYTES);
  if (body.kind !== "read") {
    stats.tooLong++;
    return send(
      response,
      failure(413, `Cannot read the request: it is longer than ${MOST_BODY_BYTES} bytes`),
    );
  }
  const reply = await answer(controller, {
    method: request.method ?? "GET",
    url: request.url ?? "/",
    body: body.bytes,
    accept: request.headers.accept ?? "",
    lastEventId: request.headers["last-event-id"]?.toString() ?? null,
  });
  await send(response, reply);
}
