import { createServer, request, type Server } from "node:http";
import { hostname } from "node:os";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { LIMITS } from "../core/limits.ts";
import { MetricsListener } from "./listener.ts";
import { eventually } from "../../test/support/waiting.ts";

const STATUS = { version: "1.2.3", memoryBytes: 4096 };

const closing: { close(): unknown }[] = [];

afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

async function opened(port = 0): Promise<MetricsListener> {
  const listener = new MetricsListener({ host: "127.0.0.1", port }, () => STATUS);
  closing.push(listener);
  await listener.open();
  return listener;
}

async function ask(
  listener: MetricsListener,
  path: string,
  init: RequestInit = {},
): Promise<readonly [number, string]> {
  const response = await fetch(`http://${listener.stats.address}${path}`, {
    ...init,
    headers: { connection: "close" },
  });
  return [response.status, await response.text()];
}

describe("the metrics listener", () => {
  it("serves metrics without a token at /metrics, and nothing else", async () => {
    const listener = await opened();
    const [status, text] = await ask(listener, "/metrics");
    expect([status, text.includes("process_resident_memory_bytes 4096\n")]).toEqual([200, true]);
    expect((await ask(listener, "/metrics?x=1"))[0]).toBe(200);
    expect((await ask(listener, "/v1/status"))[0]).toBe(404);
    expect((await ask(listener, "/metrics", { method: "POST", body: "x" }))[0]).toBe(404);
    expect(listener.stats.requests).toBe(4);
  });

  it("answers no web page that reaches it by a name of its own: it has no token", async () => {
    const listener = await opened();
    const [host = "", port] = listener.stats.address?.split(":") ?? [];
    const status = (headers: Record<string, string>) =>
      new Promise((resolve) =>
        request({ host, port, path: "/metrics", headers, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).end(),
      );
    expect(await status({ host: "localhost:9842" })).toBe(200);
    expect(await status({ host: hostname() })).toBe(200);
    expect(await status({ host: "evil.example" })).toBe(403);
    expect(await status({ origin: "http://evil.example" })).toBe(403);
    expect(listener.stats.turnedAway).toBe(2);
  });

  it("tries again every ten seconds while its port is taken", async () => {
    const other: Server = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const listener = await opened(port);
    expect(listener.trouble).toBe(`Cannot serve metrics on 127.0.0.1:${port}: the address is in use`);
    await listener.tick(1_000);
    await new Promise((resolve) => other.close(resolve));
    await listener.tick(10_000);
    expect(listener.stats.address).toBe(null);
    await listener.tick(11_000);
    expect([listener.stats.address, listener.trouble]).toEqual([`127.0.0.1:${port}`, null]);
  });

  it("closes connections beyond its bound, counts them, and serves the others [limit: metricsConnections]", async () => {
    const listener = await opened();
    const port = Number(listener.stats.address?.split(":")[1]);
    const dial = (): Promise<Socket> =>
      new Promise((resolve, reject) => {
        const socket = connect(port, "127.0.0.1", () => resolve(socket));
        socket.on("error", reject);
      });
    const silent: Socket[] = [];
    for (let i = 0; i < LIMITS.metricsConnections.value; i++) silent.push(await dial());
    const tooMany = await dial();
    await new Promise((resolve) => tooMany.once("close", resolve));
    expect(listener.stats.turnedAway).toBe(1);
    silent.pop()?.destroy();
    await eventually(async () => expect((await ask(listener, "/metrics"))[0]).toBe(200));
    for (const socket of silent) socket.destroy();
  });

  it("does not open any more when it was closed meanwhile", async () => {
    const listener = new MetricsListener({ host: "127.0.0.1", port: 0 }, () => STATUS);
    const opening = listener.open();
    await listener.close();
    await opening;
    await listener.tick(1e12);
    expect(listener.stats.address).toBe(null);
  });
});
