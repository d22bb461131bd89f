import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { LIMITS } from "../core/limits.ts";
import { readBody, send } from "./exchange.ts";
import { failure } from "./reply.ts";
import { answer, type Controller } from "./routes.ts";
import { listenOnSocket } from "./unix-socket.ts";
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
  const server = createServer(TIMES, (request, response) => {
    void serve(request, response, controller(), stats);
  });
  server.maxConnections = LIMITS.controlConnections.value;
  server.on("drop", () => stats.turnedAway++);
  const socket = await listenOnSocket(server, { path, mode: 0o660, other: "another stoplog is running" });
  return {
    async close() {
      await close(server);
      await socket.release();
    },
  };
}

/** Node looks at the time limits every 30 s otherwise. */
const TIMES = { maxHeaderSize: 8192, requestTimeout: 10_000, connectionsCheckingInterval: 1000 };
const MOST_BODY_BYTES = LIMITS.requestBytes.value;

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
