import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { cannot } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { foreignHost } from "../../core/http-host.ts";
import { sleep } from "../../core/sleep.ts";
import { takePassedSocket } from "../../kernel/native/passed-sockets.ts";
import { internetSocketName } from "../../kernel/native/socket-names.ts";
import { type BodyRoom, readBody, send } from "../exchange.ts";
import { failure, type Reply } from "../reply.ts";
import { Connections } from "./connections.ts";
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
  /** Names in URLs of this API besides those in its certificate. */
  readonly hosts: readonly string[];
}

export const API_METRICS = declareMetrics(
  { at: "api" },
  {
    requests: counter("stoplog_api_requests_total", "Requests to the API over TCP."),
    wrongTokens: counter("stoplog_api_wrong_tokens_total", "Requests with a wrong or missing token."),
    turnedAway: counter(
      "stoplog_api_refused_total",
      "Connections and streams over the limit, bodies that were too long, and requests that are meant for another host.",
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
  readonly #connections = new Connections({
    total: LIMITS.apiConnections.value,
    each: LIMITS.apiConnectionsEach.value,
  });
  readonly #bodies: BodyRoom = { left: LIMITS.apiBodies.value };
  /** Connections that wait for the answer to a wrong token. */
  readonly #waiting = new WeakSet<Socket>();
  #streams = 0;
  #isCertified: (name: string) => boolean = () => false;

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
            this.#connections.closeAll();
          }),
      ),
    );
  }

  async #listen({ host, port }: RemoteApiOptions["listen"][number]): Promise<void> {
    const server = await this.#server((request, response) => void this.#serve(request, response));
    server.on("connection", (socket: Socket) => {
      if (!this.#connections.admit(socket)) this.stats.turnedAway++;
    });
    // A client that does not speak HTTP or TLS gets no answer.
    server.on("clientError", (_error, socket) => socket.destroy());
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => reject(cannot(`listen on ${host}:${port}`, error)));
      const passed = takePassedSocket(internetSocketName("tcp", host, port));
      if (passed === null) server.listen(port, host, resolve);
      else server.listen({ fd: passed }, resolve);
    });
    this.#servers.push(server);
  }

  /** Loads http or https when needed. */
  async #server(listener: RequestListener): Promise<Server> {
    const { tls } = this.#options;
    if (tls === null) return (await import("node:http")).createServer(TIMES, listener);
    try {
      const { X509Certificate } = await import("node:crypto");
      const certificate = new X509Certificate(tls.cert);
      this.#isCertified = (name) => certificate.checkHost(name) !== undefined;
      return (await import("node:https")).createServer({ ...TIMES, ...TLS, ...tls }, listener);
    } catch (error) {
      throw cannot("use the API's certificate and key", error);
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => undefined);
    this.stats.requests++;
    const token = tokenIn(request.headers.authorization, this.#options.tokens);
    if (token === null) return this.#refuse(request, response);
    this.#connections.prove(request.socket);
    const foreign = foreignHost(request.headers, (name) => this.#isName(name));
    if (foreign !== null)
      return this.#turnAway(response, 403, `Cannot answer: ${foreign} (api.hosts has more names)`);
    const most = LIMITS.orderBatchBytes.value;
    const body = await readBody(request, most, this.#bodies);
    if (body.kind === "no room")
      return this.#turnAway(response, 503, "Cannot read the request: too many others are being read");
    if (body.kind !== "read")
      return this.#turnAway(response, 413, `Cannot read the request: it is longer than ${most} bytes`);
    const reply = await remoteAnswer(this.#controller, token, {
      method: request.method ?? "GET",
      url: request.url ?? "/",
      body: body.bytes,
      accept: request.headers.accept ?? "",
      lastEventId: request.headers["last-event-id"]?.toString() ?? null,
    });
    body.release();
    await this.#send(response, reply);
  }

  #isName(name: string): boolean {
    return this.#options.hosts.includes(name) || this.#isCertified(name);
  }

  #turnAway(response: ServerResponse, status: number, sentence: string): Promise<void> {
    this.stats.turnedAway++;
    return send(response, failure(status, sentence));
  }

  async #send(response: ServerResponse, reply: Reply): Promise<void> {
    if (reply.kind !== "stream") return send(response, reply);
    if (this.#streams >= LIMITS.apiStreams.value)
      return this.#turnAway(response, 503, `Cannot stream: ${LIMITS.apiStreams.value} streams are open`);
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

/** A connection that sends nothing is closed after ten seconds. Node looks at these limits every 30 s otherwise. */
const TIMES = {
  maxHeaderSize: 8192,
  requestTimeout: 30_000,
  headersTimeout: 10_000,
  connectionsCheckingInterval: 1000,
};

/** TLS 1.3, and of TLS 1.2 the suites with forward secrecy and authenticated encryption (RFC 9325, 4.2). */
const TLS = {
  minVersion: "TLSv1.2",
  ciphers: [
    "TLS_AES_256_GCM_SHA384",
    "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_GCM_SHA256",
    ...["AES256-GCM-SHA384", "CHACHA20-POLY1305", "AES128-GCM-SHA256"].flatMap((suite) => [
      `ECDHE-ECDSA-${suite}`,
      `ECDHE-RSA-${suite}`,
    ]),
  ].join(":"),
  handshakeTimeout: TIMES.headersTimeout,
} as const;
