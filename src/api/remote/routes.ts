import { StoplogError } from "../../core/errors.ts";
import { orderLinesOf } from "../order-lines.ts";
import { metricsReply } from "../metrics-reply.ts";
import { done, failure, type Reply } from "../reply.ts";
import type { ListedBan, OrdersAnswer, StatusReply } from "../wire.ts";
import type { Token } from "./tokens.ts";

/** What the API over TCP can ask of the daemon. */
export interface RemoteController {
  status(jail: string | null): StatusReply | null;
  bans(): Iterable<ListedBan>;
  events(lastId: string | null, signal: AbortSignal): AsyncIterable<string>;
  orders(lines: Iterable<string>, origin: string): Promise<OrdersAnswer>;
}

export interface RemoteRequest {
  readonly method: string;
  readonly url: string;
  readonly body: Buffer;
  readonly accept: string;
  readonly lastEventId: string | null;
}

/**
 * Answers a client with a valid token. Never rejects.
 *
 *      POST /v1/orders    one order, an array, or one a line → OrdersAnswer             a token that orders, within its origin's rules
 *      GET  /v1/bans      ListedBan[], or events when the client accepts them            a token that reads
 *      GET  /v1/status    StatusReply                                                   a token that reads
 *      GET  /v1/metrics   Prometheus' text format                                       a token that reads
 */
export async function remoteAnswer(
  controller: RemoteController,
  token: Token,
  request: RemoteRequest,
): Promise<Reply> {
  try {
    const { pathname, searchParams } = new URL(request.url, "http://stoplog");
    const what = `${request.method} ${pathname}`;
    if (what === "POST /v1/orders") {
      if (!token.orders) return failure(403, `Cannot take orders: the token ${token.name} may only read`);
      return done(await controller.orders(await orderLinesOf(request.body), token.origin));
    }
    if (!READS.has(what)) return failure(404, `Not found: ${what}`);
    if (!token.reads) return failure(403, `Cannot show that: the token ${token.name} may not read`);
    if (what === "GET /v1/status") return done(controller.status(null));
    if (what === "GET /v1/metrics") return await metricsReply(controller.status(null));
    if (!request.accept.includes("text/event-stream"))
      return { kind: "items", as: "array", items: controller.bans() };
    const cursor = request.lastEventId ?? searchParams.get("cursor");
    return { kind: "stream", events: (signal) => controller.events(cursor, signal) };
  } catch (error) {
    if (error instanceof StoplogError) return failure(400, error.message);
    if (error instanceof TypeError) return failure(400, "Cannot read the request: malformed path");
    return failure(500, `Cannot answer: ${error instanceof Error ? error.message : String(error)}`);
  }
}

const READS: ReadonlySet<string> = new Set(["GET /v1/bans", "GET /v1/status", "GET /v1/metrics"]);
