import { StoplogError } from "../core/errors.ts";
import { isDeeperThan } from "./json-depth.ts";
import { orderLinesOf } from "./order-lines.ts";
import { metricsReply } from "./metrics-reply.ts";
import { done, failure, items, type Reply } from "./reply.ts";
import type {
  BanAnswer,
  ListedBan,
  BanRequest,
  Fail2banAnswer,
  Fail2banRequest,
  HeldAnswer,
  HeldReply,
  HeldRequest,
  NotifyAnswer,
  NotifyRequest,
  OrdersAnswer,
  ReloadAnswer,
  StatusReply,
  UnbanAnswer,
  UnbanRequest,
  WhyReply,
} from "./wire.ts";

/** What the control socket can ask of the daemon. A StoplogError is a sentence for the client. */
export interface Controller {
  /** Null for an unknown jail. */
  status(jail: string | null): StatusReply | null;
  bans(): Iterable<ListedBan>;
  /** Changes of bans as server-sent events, after the one with this id. */
  events(lastId: string | null, signal: AbortSignal): AsyncIterable<string>;
  ban(request: BanRequest): Promise<BanAnswer>;
  unban(request: UnbanRequest): Promise<UnbanAnswer>;
  /** Null when the text is not an address. */
  why(address: string): WhyReply | null;
  reload(): Promise<ReloadAnswer>;
  /** Hands over to the process that asks: see daemon/takeover/. */
  handOver(): Promise<void>;
  /** Carries out orders of an origin, one a line. */
  orders(lines: Iterable<string>, origin: string): Promise<OrdersAnswer>;
  held(origin: string | null): Iterable<HeldReply>;
  settleHeld(request: HeldRequest): Promise<HeldAnswer>;
  /** Sends a test message. */
  notify(request: NotifyRequest): Promise<NotifyAnswer>;
  /** Carries out a command of fail2ban's client. */
  fail2ban(request: Fail2banRequest): Promise<Fail2banAnswer>;
}

export interface ApiRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly body: Buffer;
  readonly accept: string;
  readonly lastEventId: string | null;
}

/** Answers one request of wire.ts. Never rejects: an error is an answer too. */
export async function answer(controller: Controller, request: ApiRequest): Promise<Reply> {
  try {
    const url = new URL(request.url, "http://control");
    const route = ROUTES[`${request.method} ${url.pathname}`] ?? jailRoute(request.method, url.pathname);
    if (route === undefined) return failure(404, `Not found: ${request.method} ${url.pathname}`);
    return await route({ controller, query: url.searchParams, request, body: request.body });
  } catch (error) {
    if (error instanceof StoplogError) return failure(400, error.message);
    return failure(500, `Cannot answer: ${error instanceof Error ? error.message : String(error)}`);
  }
}

interface Asked {
  readonly controller: Controller;
  readonly query: URLSearchParams;
  readonly request: ApiRequest;
  readonly body: Buffer;
}

type Route = (asked: Asked) => Reply | Promise<Reply>;

const ROUTES: Readonly<Record<string, Route>> = {
  "GET /v1/status": ({ controller }) => done(controller.status(null)),
  "GET /v1/metrics": ({ controller }) => metricsReply(controller.status(null)),
  "GET /v1/bans": ({ controller, query, request }) => {
    if (!request.accept.includes("text/event-stream")) return items(controller.bans(), request.accept);
    const cursor = request.lastEventId ?? query.get("cursor");
    return { kind: "stream", events: (signal) => controller.events(cursor, signal) };
  },
  "POST /v1/ban": async ({ controller, body }) => done(await controller.ban(asBanRequest(body))),
  "POST /v1/unban": async ({ controller, body }) => done(await controller.unban(asUnbanRequest(body))),
  "POST /v1/reload": async ({ controller }) => done(await controller.reload()),
  "POST /v1/takeover": async ({ controller }) => {
    await controller.handOver();
    return done({});
  },
  "POST /v1/orders": async ({ controller, query, body }) => {
    return done(await controller.orders(await orderLinesOf(body), query.get("origin") ?? OPERATOR));
  },
  "GET /v1/held": ({ controller, query, request }) =>
    items(controller.held(query.get("origin")), request.accept),
  "POST /v1/held": async ({ controller, body }) => done(await controller.settleHeld(asHeldRequest(body))),
  "POST /v1/notify": async ({ controller, body }) => done(await controller.notify(asNotifyRequest(body))),
  "POST /v1/fail2ban": async ({ controller, body }) =>
    done(await controller.fail2ban(asFail2banRequest(body))),
  "GET /v1/why": ({ controller, query }) => {
    const text = query.get("address") ?? "";
    const why = controller.why(text);
    return why === null ? failure(400, `Cannot explain ${text}: not an IP address`) : done(why);
  },
};

/** The origin of orders on the control socket that name none. */
const OPERATOR = "operator";

/** A request is an object with lists. */
const DEEPEST = 8;

/** `GET /v1/status/JAIL` */
function jailRoute(method: string, path: string): Route | undefined {
  const jail = method === "GET" ? /^\/v1\/status\/([^/]+)$/.exec(path)?.[1] : undefined;
  if (jail === undefined) return undefined;
  return ({ controller }) => {
    const name = decodeURIComponent(jail);
    const status = controller.status(name);
    return status === null ? failure(404, `There is no jail ${name}`) : done(status);
  };
}

function asBanRequest(body: Buffer): BanRequest {
  const { addresses, duration, jail, target, force } = asRecord(body);
  return {
    addresses: asStrings("addresses", addresses),
    ...(duration === undefined ? {} : { duration: asString("duration", duration) }),
    ...(jail === undefined ? {} : { jail: asString("jail", jail) }),
    ...(target === undefined ? {} : { target: asString("target", target) }),
    ...(force === true ? { force } : {}),
  };
}

function asUnbanRequest(body: Buffer): UnbanRequest {
  const { addresses, all, jail, origin } = asRecord(body);
  if (origin !== undefined) return { origin: asString("origin", origin) };
  const of = jail === undefined ? {} : { jail: asString("jail", jail) };
  return all === true ? { all: true, ...of } : { addresses: asStrings("addresses", addresses), ...of };
}

function asHeldRequest(body: Buffer): HeldRequest {
  const { act, origin } = asRecord(body);
  if (act !== "release" && act !== "drop")
    throw new StoplogError("Cannot read the request: act must be release or drop");
  return { act, ...(origin === undefined ? {} : { origin: asString("origin", origin) }) };
}

function asNotifyRequest(body: Buffer): NotifyRequest {
  return { name: asString("name", asRecord(body)["name"]) };
}

function asFail2banRequest(body: Buffer): Fail2banRequest {
  const { command } = asRecord(body);
  if (Array.isArray(command)) return { command };
  throw new StoplogError("Cannot read the request: command must be a list of words");
}

function asRecord(bytes: Buffer): Readonly<Record<string, unknown>> {
  if (isDeeperThan(DEEPEST, bytes))
    throw new StoplogError("Cannot read the request: it is nested too deeply");
  let body: unknown;
  try {
    body = JSON.parse(bytes.toString());
  } catch {
    throw new StoplogError("Cannot read the request: it is not JSON");
  }
  if (typeof body === "object" && body !== null) return body as Record<string, unknown>;
  throw new StoplogError("Cannot read the request: it is not a JSON object");
}

function asString(key: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new StoplogError(`Cannot read the request: ${key} must be a string`);
}

function asStrings(key: string, value: unknown): string[] {
  if (Array.isArray(value)) return value.map((item: unknown) => asString(key, item));
  throw new StoplogError(`Cannot read the request: ${key} must be a list of strings`);
}
