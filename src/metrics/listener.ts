import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname } from "node:os";
import { isDue } from "../core/due.ts";
import { factOf } from "../core/errors.ts";
import { foreignHost } from "../core/http-host.ts";
import { LIMITS } from "../core/limits.ts";
import { counter, type CountsOf, declareMetrics } from "../core/metrics.ts";
import { type Duration, type Instant, SECOND } from "../core/time.ts";
import { takePassedSocket } from "../kernel/native/passed-sockets.ts";
import { internetSocketName } from "../kernel/native/socket-names.ts";
import { METRICS_TYPE, metricsText } from "./text.ts";

export interface MetricsAddress {
  /** A loopback address. */
  readonly host: string;
  readonly port: number;
}

export const LISTENER_METRICS = declareMetrics(
  { at: "metrics" },
  {
    requests: counter("stoplog_metrics_requests_total", "Requests to the metrics listener."),
    turnedAway: counter(
      "stoplog_metrics_connections_refused_total",
      "Connections to it over its limit, and requests that are meant for another host.",
    ),
  },
);

export type ListenerStats = CountsOf<typeof LISTENER_METRICS> & {
  /** Where it listens, as `HOST:PORT`; null while it cannot. */
  address: string | null;
};

/**
 * Serves `GET /metrics` over plain HTTP, without a token: for a Prometheus on this machine. When its port is taken it tries again
 * every ten seconds.
 */
export class MetricsListener {
  readonly stats: ListenerStats = { address: null, ...LISTENER_METRICS.zero() };
  readonly #address: MetricsAddress;
  readonly #status: () => object;
  #server: Server | null = null;
  #trouble: string | null = null;
  #opening = false;
  #closed = false;
  #nextTry: Instant = 0;

  constructor(address: MetricsAddress, status: () => object) {
    this.#address = address;
    this.#status = status;
  }

  /** Why it does not listen, as a sentence; null when it does. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** Called every second; tries to listen when it is time. */
  async tick(now: Instant): Promise<void> {
    if (!isDue(now, this.#nextTry, RETRY) || this.#opening || this.#closed || this.stats.address !== null)
      return;
    this.#nextTry = now + RETRY;
    await this.open();
  }

  /** Tries to listen; `trouble` says why it failed. */
  async open(): Promise<void> {
    const { host, port } = this.#address;
    this.#opening = true;
    const server = createServer(TIMES, (request, response) => this.#serve(request, response));
    server.maxConnections = LIMITS.metricsConnections.value;
    // Also closes a connection whose client does not read.
    server.timeout = SLOWEST;
    server.on("drop", () => this.stats.turnedAway++);
    server.on("clientError", (_error, socket) => socket.destroy());
    try {
      await listen(server, host, port);
      this.#server = server;
      this.#trouble = null;
      this.stats.address = addressOf(server);
    } catch (error) {
      this.#trouble = `Cannot serve metrics on ${host}:${port}: ${factOf(error)}`;
    } finally {
      this.#opening = false;
    }
    if (this.#closed) await this.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const server = this.#server;
    this.#server = null;
    this.stats.address = null;
    if (server === null) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    this.stats.requests++;
    response.on("error", () => undefined);
    // Discards a body.
    request.resume();
    const foreign = foreignHost(request.headers, (name) => name === hostname().toLowerCase());
    if (foreign !== null) {
      this.stats.turnedAway++;
      response.writeHead(403, { "content-type": "text/plain" });
      response.end(`Cannot answer: ${foreign}\n`);
      return;
    }
    const path = request.url?.split("?")[0] ?? "";
    if (request.method !== "GET" || !PATHS.has(path)) {
      response.writeHead(404, { "content-type": "text/plain" });
      response.end("Metrics are at GET /metrics\n");
      return;
    }
    response.writeHead(200, { "content-type": METRICS_TYPE });
    response.end(metricsText(this.#status()));
  }
}

const PATHS: ReadonlySet<string> = new Set(["/metrics", "/v1/metrics"]);

const RETRY: Duration = 10 * SECOND;
const SLOWEST: Duration = 10 * SECOND;
const TIMES = {
  maxHeaderSize: 8192,
  headersTimeout: SLOWEST,
  requestTimeout: SLOWEST,
  connectionsCheckingInterval: SECOND,
};

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    const passed = takePassedSocket(internetSocketName("tcp", host, port));
    server.listen(passed === null ? { port, host } : { fd: passed }, () => {
      server.off("error", reject);
      // Errors of accept(2), such as too many open files, concern single connections.
      server.on("error", () => undefined);
      resolve();
    });
  });
}

function addressOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
}
