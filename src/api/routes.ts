import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { StoplogError } from "../core/errors.ts";
import type {
  BanAnswer,
  BanReply,
  BanRequest,
  ReloadAnswer,
  StatusReply,
  UnbanAnswer,
  UnbanRequest,
  WhyReply,
} from "./wire.ts";

/** What the control socket can ask of the daemon. Sentences for the asker are thrown as StoplogErrors. */
export interface Controller {
  /** Null when there is no such jail. */
  status(jail: string | null): StatusReply | null;
  bans(): Iterable<BanReply>;
  ban(request: BanRequest): Promise<BanAnswer>;
  unban(request: UnbanRequest): Promise<UnbanAnswer>;
  /** Null when the text is no address. */
  why(address: string): WhyReply | null;
  reload(): Promise<ReloadAnswer>;
}

/** The routes of wire.ts; who answers is looked up at each request. */
export function routes(daemon: () => Controller): Hono {
  const app = new Hono();
  app.use(bodyLimit({ maxSize: MOST_BODY_BYTES }));
  app.get("/v1/status", (c) => c.json(daemon().status(null)));
  app.get("/v1/status/:jail", (c) => {
    const jail = c.req.param("jail");
    const status = daemon().status(jail);
    return status === null ? c.json({ error: `There is no jail ${jail}` }, 404) : c.json(status);
  });
  app.get("/v1/bans", () => jsonArray(daemon().bans()));
  app.post("/v1/ban", async (c) => c.json(await daemon().ban(asBanRequest(await c.req.json()))));
  app.post("/v1/unban", async (c) => c.json(await daemon().unban(asUnbanRequest(await c.req.json()))));
  app.get("/v1/why", (c) => {
    const text = c.req.query("address") ?? "";
    const why = daemon().why(text);
    return why === null ? c.json({ error: `Cannot explain ${text}: it is no address` }, 400) : c.json(why);
  });
  app.post("/v1/reload", async (c) => c.json(await daemon().reload()));
  app.notFound((c) => c.json({ error: `There is nothing at ${c.req.path}` }, 404));
  app.onError((error, c) => {
    if (error instanceof StoplogError) return c.json({ error: error.message }, 400);
    if (error instanceof SyntaxError) return c.json({ error: "Cannot read the request: it is no JSON" }, 400);
    return c.json({ error: `Cannot answer: ${error.message}` }, 500);
  });
  return app;
}

const MOST_BODY_BYTES = 1024 * 1024;

/** A long array in pieces, so that a million bans neither fill the memory nor hold up the loop. */
function jsonArray(items: Iterable<unknown>): Response {
  const pieces = arrayPieces(items);
  const encoder = new TextEncoder();
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await new Promise(setImmediate);
      const piece = pieces.next();
      if (piece.done === true) controller.close();
      else controller.enqueue(encoder.encode(piece.value));
    },
  });
  return new Response(stream, { headers: { "content-type": "application/json" } });
}

function* arrayPieces(items: Iterable<unknown>): Generator<string> {
  let piece = "[";
  let count = 0;
  for (const item of items) {
    piece += `${count === 0 ? "" : ","}${JSON.stringify(item)}`;
    if (++count % 500 === 0) {
      yield piece;
      piece = "";
    }
  }
  yield `${piece}]`;
}

function asBanRequest(body: unknown): BanRequest {
  const { addresses, duration, jail, target } = asRecord(body);
  return {
    addresses: asStrings("addresses", addresses),
    ...(duration === undefined ? {} : { duration: asString("duration", duration) }),
    ...(jail === undefined ? {} : { jail: asString("jail", jail) }),
    ...(target === undefined ? {} : { target: asString("target", target) }),
  };
}

function asUnbanRequest(body: unknown): UnbanRequest {
  const { addresses, all } = asRecord(body);
  return all === true ? { all: true } : { addresses: asStrings("addresses", addresses) };
}

function asRecord(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body === "object" && body !== null) return body as Record<string, unknown>;
  throw new StoplogError("Cannot read the request: it is no JSON object");
}

function asString(key: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new StoplogError(`Cannot read the request: ${key} must be a text`);
}

function asStrings(key: string, value: unknown): string[] {
  if (Array.isArray(value)) return value.map((item: unknown) => asString(key, item));
  throw new StoplogError(`Cannot read the request: ${key} must be a list of texts`);
}
