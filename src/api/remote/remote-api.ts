import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { cannot } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { sleep } from "../../core/sleep.ts";
import { bodyOf, send } from "../exchange.ts";
import { failure, type Reply } from "../reply.ts";
import { type RemoteController, remoteAnswer } from "./routes.ts";
import { type Token, tokenIn } from "./tokens.ts";
import { WrongTokens } from "./wrong-tokens.ts";
import { counter, type CountsOf, declareMetrics } from "../../core/metrics.ts";

/** Where the API listens, and the tokens that it accepts. */
export interface RemoteApiOptions {
  readonly listen: readonly { readonly host: string; readonly port: number }[];
  /** PEM; null for plain HTTP, which the configuration allows only on loopback. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly tokens: readonly Token[];
}

export const API_METRICS = declareMetrics(
  { at: "api" },
  {
    requests: counter("stoplog_api_requests_total", "Requests to the API over TCP."),
    wrongTokens: counter("stoplog_api_wrong_tokens_total", "Requests with a wrong or missing token."),
    turnedAway: counter(
      "stoplog_api_refused_total",
      "Connections and streams over the limit, and bodies that were too long.",
    ),
  },
);

export type RemoteStats = CountsOf<typeof API_METRICS> & {
  /** Where it listens, as `HOST:PORT`. */
  addresses: readonly string[];
};

/**
 * The API over TCP, for clients with a token. A client with a wrong one learns nothing: every request gets the same answer, later each
 * time.
 */
export class RemoteApi {
  readonly stats: RemoteStats = { addresses: [], ...API_METRICS.zero() };
  readonly #options: RemoteApiOptions;
  readonly #controller: RemoteController;
  readonly #clock: Clock;
  readonly #wrong = new WrongTokens(LIMITS.wrongTokens.value);
  readonly #servers: Server[] = [];
  /** Including connections before their TLS handshake, which the servers do not know. */
  readonly #connections = new Set<Socket>();
  /** Connections that wait for the answer to a wrong token. */
  readonly #waiting = new WeakSet<Socket>();
  #streams = 0;

  constructor(options: RemoteApiOptions, controller: RemoteController, clock: Clock) {
    this.#options = options;
    this.#controller = controller;
    this.#clock = clock;
  }

  /** Rejects with a StoplogError when one address cannot be listened on; then it listens on none. */
  async open(): Promise<void> {
    try {
      for (const place of this.#options.listen) await this.#listen(place);
    } catch (error) {
      await this.close();
      throw error;
    }
    this.stats.addresses = this.#servers.map((server) => {
      const { address, port, family } = server.address() as AddressInfo;
      return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
    });
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#servers.splice(0).map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
            for (const socket of this.#connections) socket.destroy();
          }),
      ),
    );
  }

  async #listen({ host, port }: RemoteApiOptions["listen"][number]): Promise<void> {
    const server = await this.#server((request, response) => void this.#serve(request, response));
    server.maxConnections = LIMITS.apiConnections.value;
    server.on("drop", () => this.stats.turnedAway++);
    server.on("connection", (socket: Socket) => {
      this.#connections.add(socket);
      socket.on("close", () => this.#connections.delete(socket));
    });
    // A client that does not speak HTTP or TLS gets no answer.
    server.on("clientError", (_error, socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => reject(cannot(`listen on ${host}:${port}`, error)));
      server.listen(port, host, resolve);
    });
    this.#servers.push(server);
  }

  /** Loads http or https when needed. */
  async #server(listener: RequestListener): Promise<Server> {
    const limits = { maxHeaderSize: 8192, requestTimeout: 30_000, headersTimeout: 10_000 };
    const { tls } = this.#options;
    if (tls === null) return (await import("node:http")).createServer(limits, listener);
    try {
      return (await import("node:https")).createServer(
        { ...limits, ...tls, minVersion: "TLSv1.2", handshakeTimeout: limits.headersTimeout },
        listener,
      );
    } catch (error) {
      throw cannot("use the API's certificate and key", error);
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => undefined);
    this.stats.requests++;
    const token = tokenIn(request.headers.authorization, this.#options.tokens);
    if (token === null) return this.#refuse(request, response);
    const body = await bodyOf(request, LIMITS.orderBatchBytes.value).catch(() => null);
    if (body === null) {
      this.stats.turnedAway++;
      const most = LIMITS.orderBatchBytes.value;
      return send(response, failure(413, `Cannot read the request: it is longer than ${most} bytes`));
    }
    const reply = await remoteAnswer(this.#controller, token, {
      method: request.method ?? "GET",
      url: request.url ?? "/",
      body,
      accept: request.headers.accept ?? "",
      lastEventId: request.headers["last-event-id"]?.toString() ?? null,
    });
    await this.#send(response, reply);
  }

  async #send(response: ServerResponse, reply: Reply): Promise<void> {
    if (reply.kind !== "stream") return send(response, reply);
    if (this.#streams >= LIMITS.apiStreams.value) {
      this.stats.turnedAway++;
      return send(response, failure(503, `Cannot stream: ${LIMITS.apiStreams.value} streams are open`));
    }
    this.#streams++;
    try {
      await send(response, reply);
    } finally {
      this.#streams--;
    }
  }

  async #refuse(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Pipelined requests would otherwise queue any number of delayed answers.
    if (this.#waiting.has(request.socket)) return void request.socket.destroy();
    this.#waiting.add(request.socket);
    const wait = this.#wrong.note(request.socket.remoteAddress ?? "", this.#clock.now());
    this.stats.wrongTokens = this.#wrong.count;
    request.resume();
    await sleep(wait);
    response.setHeader("connection", "close");
    response.setHeader("www-authenticate", "Bearer");
    await send(response, failure(401, "Unauthorized: invalid or missing token"));
  }
}
