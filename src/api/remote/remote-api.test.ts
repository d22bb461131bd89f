import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect } from "node:net";
import { type ConnectionOptions, connect as tlsConnect } from "node:tls";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { systemClock } from "../../core/clock.ts";
import { LIMITS } from "../../core/limits.ts";
import { METRICS_TYPE } from "../../metrics/text.ts";
import { RemoteApi, type RemoteApiOptions } from "./remote-api.ts";
import type { RemoteController } from "./routes.ts";
import { WrongTokens } from "./wrong-tokens.ts";
import { eventually } from "../../../test/support/waiting.ts";

const hash = (secret: string): Buffer => createHash("sha256").update(secret).digest();
const tokens = [
  { name: "scorer", origin: "scores", orders: true, reads: false, sha256: hash("correct-horse-battery") },
  { name: "page", origin: "page", orders: false, reads: true, sha256: hash("another-long-secret") },
];
const SCORER = { authorization: "Bearer correct-horse-battery" };
const PAGE = { authorization: "bearer another-long-secret" };

const controller: RemoteController = {
  status: () => ({ pid: 1 }) as never,
  bans: () => [{ address: "192.0.2.1" }] as never,
  events: async function* (lastId, signal) {
    yield `data: after ${lastId}\n\n`;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  },
  orders: (lines, origin) => {
    const all = [...lines];
    return Promise.resolve({
      done: all.length,
      nothing: 0,
      held: 0,
      refused: 0,
      unreadable: 0,
      sentences: [origin, ...all],
    });
  },
};

async function opened(options: Partial<RemoteApiOptions> = {}): Promise<{ api: RemoteApi; port: number }> {
  const listen = [{ host: "127.0.0.1", port: 0 }];
  const api = new RemoteApi({ listen, tls: null, tokens, hosts: [], ...options }, controller, systemClock);
  await api.open();
  onTestFinished(() => api.close());
  return { api, port: Number(api.stats.addresses[0]?.split(":").at(-1)) };
}

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly ca?: string;
}

function open(
  port: number,
  { method = "GET", path = "/v1/status", headers = {}, body, ca }: Asked,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, method, path, headers, agent: false as const };
    const asked =
      ca === undefined
        ? httpRequest(options, resolve)
        : httpsRequest({ ...options, ca, servername: "localhost" }, resolve);
    asked.on("error", reject);
    asked.end(body);
  });
}

/** A connection that sends nothing. */
async function connected(port: number, localAddress = "127.0.0.1") {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  const closed = new Promise<void>((resolve) => void socket.on("close", () => resolve()));
  await once(socket, "connect");
  socket.resume();
  return { socket, closed };
}

async function ask(port: number, asked: Asked = {}): Promise<{ status: number; body: unknown }> {
  const response = await open(port, asked);
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode ?? 0, body: JSON.parse(text) };
}

describe("the API over TCP", () => {
  it("takes orders of the token's origin: one, an array, or one a line", async () => {
    const { port } = await opened();
    const post = (body: string) => ask(port, { method: "POST", path: "/v1/orders", headers: SCORER, body });
    const one = '{"address":"192.0.2.1"}';
    expect(await post(one)).toMatchObject({ status: 200, body: { done: 1, sentences: ["scores", one] } });
    expect(await post(`${one}\n\n${one}\n`)).toMatchObject({ body: { done: 2 } });
    expect(await post(`[${one},${one},7]`)).toMatchObject({ body: { sentences: ["scores", one, one, "7"] } });
    expect(await post("[")).toEqual({
      status: 400,
      body: { error: "Cannot read the request: it is not JSON" },
    });
  });

  it("shows bans, status and metrics only to tokens that may read", async () => {
    const { port } = await opened();
    expect(await ask(port, { headers: PAGE })).toEqual({ status: 200, body: { pid: 1 } });
    expect(await ask(port, { path: "/v1/bans", headers: PAGE })).toEqual({
      status: 200,
      body: [{ address: "192.0.2.1" }],
    });
    const metrics = await open(port, { path: "/v1/metrics", headers: PAGE });
    expect([metrics.statusCode, metrics.headers["content-type"]]).toEqual([200, METRICS_TYPE]);
    metrics.resume();
    for (const path of ["/v1/status", "/v1/metrics"])
      expect(await ask(port, { path, headers: SCORER })).toEqual({
        status: 403,
        body: { error: "Cannot show that: the token scorer may not read" },
      });
    for (const path of ["/v1/unban", "/v1/reload", "/v1/why?address=192.0.2.1", "/v1/held"])
      expect([path, (await ask(port, { method: "POST", path, headers: PAGE })).status]).toEqual([path, 404]);
  });

  it("takes no orders of a token that may only read", async () => {
    const { port } = await opened();
    const body = '{"address":"192.0.2.1"}';
    expect(await ask(port, { method: "POST", path: "/v1/orders", headers: PAGE, body })).toEqual({
      status: 403,
      body: { error: "Cannot take orders: the token page may only read" },
    });
  });

  it("answers no web page that reaches it by a name of its own or across origins", async () => {
    const { api, port } = await opened({ hosts: ["stoplog.example"] });
    const status = async (headers: Record<string, string>) =>
      (await ask(port, { headers: { ...PAGE, ...headers } })).status;
    for (const host of ["127.0.0.1:8443", "[::1]:8443", "localhost", "stoplog.example:8443"])
      expect([host, await status({ host })]).toEqual([host, 200]);
    const origin = "https://stoplog.example";
    expect(await status({ origin })).toBe(200);
    expect(await status({ host: "localhost:1", origin: "http://localhost:1" })).toBe(200);
    expect(await ask(port, { headers: { ...PAGE, host: "evil.example" } })).toEqual({
      status: 403,
      body: { error: "Cannot answer: evil.example is not a name of this server (api.hosts has more names)" },
    });
    for (const foreign of ["http://evil.example", "null", "http://localhost:2"])
      expect([foreign, await status({ host: "localhost:1", origin: foreign })]).toEqual([foreign, 403]);
    expect(api.stats.turnedAway).toBe(4);
  });

  it("streams changes after a cursor, to a limited number of clients [limit: apiStreams]", async () => {
    vi.spyOn(LIMITS.apiStreams, "value", "get").mockReturnValue(1 as never);
    onTestFinished(() => void vi.restoreAllMocks());
    const { api, port } = await opened();
    const headers = { ...PAGE, accept: "text/event-stream" };
    const stream = await open(port, { path: "/v1/bans?cursor=e.5", headers });
    expect(stream.headers["content-type"]).toBe("text/event-stream");
    const [first] = (await stream[Symbol.asyncIterator]().next()).value.toString().split("\n");
    expect(first).toBe("data: after e.5");
    const second = await ask(port, { path: "/v1/bans", headers: { ...headers, "last-event-id": "e.7" } });
    expect(second).toEqual({ status: 503, body: { error: "Cannot stream: 1 streams are open" } });
    stream.destroy();
    await eventually(async () => {
      const again = await open(port, { path: "/v1/bans", headers });
      again.destroy();
      expect(again.statusCode).toBe(200);
    });
    expect(api.stats.turnedAway).toBeGreaterThan(0);
  });

  it("gives a client without a token the same answer to every request, and delays it", async () => {
    const { api, port } = await opened();
    const started = Date.now();
    const answers = await Promise.all(
      [
        { method: "POST", path: "/v1/orders", body: '{"address":"192.0.2.1"}' },
        { path: "/nothing", headers: { authorization: "Bearer wrong" } },
      ].map((asked) => ask(port, asked)),
    );
    for (const answer of answers)
      expect(answer).toEqual({
        status: 401,
        body: { error: "Unauthorized: invalid or missing token" },
      });
    expect(Date.now() - started).toBeGreaterThanOrEqual(500);
    expect(api.stats.wrongTokens).toBe(2);
    // A valid token does not wait for the wrong ones.
    expect((await ask(port, { headers: PAGE })).status).toBe(200);
  });

  it("refuses a body that is too long [limit: orderBatchBytes]", async () => {
    vi.spyOn(LIMITS.orderBatchBytes, "value", "get").mockReturnValue(1000 as never);
    onTestFinished(() => void vi.restoreAllMocks());
    const { api, port } = await opened();
    const answer = await ask(port, {
      method: "POST",
      path: "/v1/orders",
      headers: SCORER,
      body: "x".repeat(1001),
    });
    expect(answer).toEqual({
      status: 413,
      body: { error: "Cannot read the request: it is longer than 1000 bytes" },
    });
    expect(api.stats.turnedAway).toBe(1);
  });

  it("reads bodies only while they fit into memory together [limit: apiBodies]", async () => {
    vi.spyOn(LIMITS.apiBodies, "value", "get").mockReturnValue(1000 as never);
    onTestFinished(() => void vi.restoreAllMocks());
    const { api, port } = await opened();
    const post = (length: number) =>
      ask(port, { method: "POST", path: "/v1/orders", headers: SCORER, body: "1".repeat(length) });
    for (const length of [1000, 1000, 1000]) expect((await post(length)).status).toBe(200);
    expect(await post(1001)).toEqual({
      status: 503,
      body: { error: "Cannot read the request: too many others are being read" },
    });
    expect(api.stats.turnedAway).toBe(1);
    expect((await post(1000)).status).toBe(200);
  });

  it("closes the oldest connection without a token for a new one [limit: apiConnections]", async () => {
    vi.spyOn(LIMITS.apiConnections, "value", "get").mockReturnValue(2 as never);
    onTestFinished(() => void vi.restoreAllMocks());
    const { api, port } = await opened();
    const stream = await open(port, { path: "/v1/bans", headers: { ...PAGE, accept: "text/event-stream" } });
    onTestFinished(() => void stream.destroy());
    const silent = await connected(port);
    const next = await connected(port);
    await silent.closed;
    expect(api.stats.turnedAway).toBe(1);
    // The client with a token stays, and others come in.
    expect([stream.destroyed, (await ask(port, { headers: PAGE })).status]).toEqual([false, 200]);
    await next.closed;
  });

  it("gives no address more than its share of the connections [limit: apiConnectionsEach]", async () => {
    vi.spyOn(LIMITS.apiConnectionsEach, "value", "get").mockReturnValue(2 as never);
    onTestFinished(() => void vi.restoreAllMocks());
    const { api, port } = await opened();
    const first = await connected(port, "127.0.0.2");
    const second = await connected(port, "127.0.0.2");
    await (
      await connected(port, "127.0.0.2")
    ).closed;
    expect(api.stats.turnedAway).toBe(1);
    expect((await ask(port, { headers: PAGE })).status).toBe(200);
    first.socket.destroy();
    await first.closed;
    const third = await connected(port, "127.0.0.2");
    expect([second.socket.destroyed, third.socket.destroyed]).toEqual([false, false]);
  });

  it("survives bytes that are not HTTP", async () => {
    const { port } = await opened();
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(Buffer.from([0x16, 3, 1, 0, 255, 0, 10, 13, 10, 13, 10]));
    await new Promise((resolve) => socket.on("close", resolve));
    expect((await ask(port, { headers: PAGE })).status).toBe(200);
  });

  it("rejects with a sentence when it cannot listen", async () => {
    const { port } = await opened();
    const second = new RemoteApi(
      { listen: [{ host: "127.0.0.1", port }], tls: null, tokens, hosts: [] },
      controller,
      systemClock,
    );
    await expect(second.open()).rejects.toThrow(`Cannot listen on 127.0.0.1:${port}: the address is in use`);
  });

  const noOpenssl = spawnSync("openssl", ["version"]).status !== 0;
  it.skipIf(noOpenssl)(
    `speaks TLS${noOpenssl ? " (skipped: needs openssl to make a certificate)" : ""}`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "stoplog-tls-"));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const [key, cert] = [join(folder, "key"), join(folder, "cert")];
      const making = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -keyout ${key} -out ${cert}`;
      execFileSync("openssl", making.split(" "), { stdio: "ignore" });
      const tls = { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
      const { api, port } = await opened({ tls });
      expect(await ask(port, { headers: PAGE, ca: tls.cert })).toEqual({ status: 200, body: { pid: 1 } });
      await expect(ask(port, { headers: PAGE })).rejects.toThrow();
      const named = { headers: { ...PAGE, host: "evil.example" }, ca: tls.cert };
      expect((await ask(port, named)).status).toBe(403);
      expect((await ask(port, { ...named, headers: { ...PAGE, host: "localhost" } })).status).toBe(200);
      const shake = (options: ConnectionOptions) =>
        new Promise<string>((resolve) => {
          const socket = tlsConnect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
          socket.on("secureConnect", () => resolve(socket.getCipher().name));
          socket.on("error", () => resolve("refused"));
          socket.on("secureConnect", () => socket.destroy());
        });
      const old = { maxVersion: "TLSv1.2" } as const;
      expect(await shake({ ...old, ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" })).toContain("GCM");
      for (const ciphers of [
        "ECDHE-ECDSA-AES128-SHA",
        "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-ECDSA-AES256-SHA384",
      ])
        expect([ciphers, await shake({ ...old, ciphers })]).toEqual([ciphers, "refused"]);
      const broken = new RemoteApi(
        { listen: [{ host: "127.0.0.1", port: 0 }], tls: { ...tls, key: "no key" }, tokens, hosts: [] },
        controller,
        systemClock,
      );
      await expect(broken.open()).rejects.toThrow(/^Cannot use the API's certificate and key: /);
      // Who never begins to speak TLS does not hold up the end.
      const mute = connect(port, "127.0.0.1");
      await once(mute, "connect");
      const gone = once(mute, "close");
      await api.close();
      await gone;
    },
  );
});

describe("requests one behind the other on one connection", () => {
  const ASKED = (token: string) =>
    `GET /v1/bans HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\nauthorization: Bearer ${token}\r\n\r\n`;
  async function send(port: number, text: string) {
    const socket = connect(port, "127.0.0.1");
    let read = "";
    socket.on("data", (chunk) => (read += String(chunk)));
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write(text);
    return { socket, closed: once(socket, "close"), read: () => read };
  }

  it("are dropped after a wrong token: any number of delayed answers would queue", async () => {
    const { api, port } = await opened();
    const { closed } = await send(port, ASKED("wrong-wrong-wrong").repeat(50));
    await closed;
    expect(api.stats.wrongTokens).toBe(1);
  });

  it("leave no stream open when the connection closes", async () => {
    vi.spyOn(LIMITS.apiStreams, "value", "get").mockReturnValue(2 as never);
    onTestFinished(() => void vi.restoreAllMocks());
    const { api, port } = await opened();
    const asked = await send(port, ASKED("another-long-secret").repeat(2));
    await eventually(() => expect(asked.read()).toContain("data: after null"));
    asked.socket.destroy();
    await asked.closed;
    await eventually(async () => {
      const next = await open(port, { path: "/v1/bans", headers: { ...PAGE, accept: "text/event-stream" } });
      next.destroy();
      expect(next.statusCode).toBe(200);
    });
    await eventually(async () => {
      const both = await Promise.all(
        [1, 2].map(() => open(port, { path: "/v1/bans", headers: { ...PAGE, accept: "text/event-stream" } })),
      );
      for (const one of both) one.destroy();
      expect(both.map(({ statusCode }) => statusCode)).toEqual([200, 200]);
    });
    expect(api.stats.addresses).toHaveLength(1);
  });
});

describe("wrong tokens", () => {
  it("count together for an IPv6 /64: a client has all of its addresses", () => {
    const wrong = new WrongTokens(10);
    expect(wrong.note("2001:db8::1", 0)).toBe(500);
    expect(wrong.note("2001:db8::2", 0)).toBe(1000);
    expect(wrong.note("2001:db8:0:1::2", 0)).toBe(500);
    expect(wrong.note("::ffff:192.0.2.1", 0)).toBe(500);
    expect(wrong.note("192.0.2.2", 0)).toBe(500);
    expect(wrong.note("fe80::1%eth0", 0)).toBe(500);
  });

  it("are answered later each time, until they are forgotten [limit: wrongTokens]", () => {
    const wrong = new WrongTokens(2);
    expect([1, 2, 3, 4, 5, 6, 7].map(() => wrong.note("192.0.2.1", 0))).toEqual([
      500, 1000, 2000, 4000, 8000, 16000, 16000,
    ]);
    expect(wrong.note("192.0.2.1", 11 * 60_000)).toBe(500);
    wrong.note("192.0.2.2", 11 * 60_000);
    wrong.note("192.0.2.3", 11 * 60_000);
    expect(wrong.note("192.0.2.1", 11 * 60_000)).toBe(500);
    expect(wrong.count).toBe(11);
  });
});
