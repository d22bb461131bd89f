import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StoplogError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import type { Controller } from "./routes.ts";
import { type ControlStats, openControlSocket } from "./server.ts";
import type { ListedBan, StatusReply, WhyReply } from "./wire.ts";
import { eventually } from "../../test/support/waiting.ts";

let directory: string;
let path: string;
let close: (() => Promise<void>) | null = null;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stoplog-api-"));
  path = join(directory, "run", "control.sock");
});
afterEach(async () => {
  await close?.();
  close = null;
  rmSync(directory, { recursive: true });
});

const BAN: ListedBan = {
  address: "192.0.2.1",
  jail: "sshd",
  target: "default",
  reason: "5 failures in 10m",
  since: "2026-11-20T12:00:00.000Z",
  until: null,
  origin: "local",
  enforced: true,
  trouble: null,
};

const NO_ORDERS = { done: 0, nothing: 0, held: 0, refused: 0, unreadable: 0, sentences: [] };
const HELD = {
  origin: "scorer",
  order: "ban",
  address: "198.0.0.0/8",
  reason: "",
  fact: "wider than /24",
  since: "2026-11-20T12:00:00.000Z",
} as const;

/** Mostly echoes the request. */
function controller(bans = 3): Controller {
  return {
    status: (jail) => (jail === null || jail === "sshd" ? ({ pid: 1 } as StatusReply) : null),
    bans: () => Array<ListedBan>(bans).fill(BAN),
    events: async function* (lastId) {
      yield `data: after ${lastId}\n\n`;
    },
    ban: (asked) => Promise.reject(new StoplogError(`Cannot ban: ${JSON.stringify(asked)}`)),
    unban: (asked) =>
      Promise.resolve({ lifted: "addresses" in asked ? asked.addresses.length : 9, results: [] }),
    why: (address) =>
      address === "192.0.2.1" ? ({ address, lines: ["\x1b"] } as unknown as WhyReply) : null,
    reload: () => Promise.reject(new Error("a bug")),
    handOver: () => Promise.reject(new StoplogError("Cannot hand over: systemd runs this daemon")),
    orders: (lines, origin) =>
      Promise.resolve({ ...NO_ORDERS, done: [...lines].length, sentences: [`in the name of ${origin}`] }),
    held: (origin) => [{ ...HELD, origin: origin ?? "scorer" }],
    fail2ban: ({ command }) => Promise.resolve({ value: command }),
    notify: ({ name }) => Promise.resolve({ trouble: name === "team" ? null : "connection refused" }),
    settleHeld: ({ act }) => Promise.resolve({ done: act === "release" ? 3 : 5, refused: 0 }),
  };
}

async function open(bans?: number): Promise<ControlStats> {
  const stats: ControlStats = { turnedAway: 0, tooLong: 0 };
  const socket = await openControlSocket(path, () => controller(bans), stats);
  close = () => socket.close();
  return stats;
}

function ask(method: string, url: string, body?: string): Promise<{ status: number; body: unknown }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: path, method, path: url }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      // Waits for the whole request to be sent: a long one can be answered before.
      asked.on("close", () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as unknown }),
      );
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

function askText(url: string): Promise<{ type: string | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: path, path: url }, (response) => {
      let text = "";
      response.on("data", (chunk: Buffer) => (text += chunk.toString()));
      response.on("end", () => resolve({ type: response.headers["content-type"], text }));
    });
    asked.on("error", reject);
    asked.end();
  });
}

describe("the control socket", () => {
  it("makes its folder, and only owner and group can connect", async () => {
    await open();
    expect(statSync(path).mode & 0o777).toBe(0o660);
  });

  it("does not parse nested JSON, which would hold the event loop", async () => {
    await open();
    const deep = (count: number) => `{"addresses":${"[".repeat(count)}${"]".repeat(count)}}`;
    expect(await ask("POST", "/v1/ban", deep(500_000))).toEqual({
      status: 400,
      body: { error: "Cannot read the request: it is nested too deeply" },
    });
    expect(await ask("POST", "/v1/ban", '{"addresses":["[[[[[[[[[[[["]}')).toMatchObject({
      body: { error: expect.stringContaining("Cannot ban: ") as string },
    });
  });

  it("answers the requests of wire.ts", async () => {
    await open();
    expect(await ask("GET", "/v1/status")).toEqual({ status: 200, body: { pid: 1 } });
    expect(await ask("GET", "/v1/status/sshd")).toEqual({ status: 200, body: { pid: 1 } });
    expect(await ask("GET", "/v1/status/ss%68")).toEqual({
      status: 404,
      body: { error: "There is no jail ssh" },
    });
    expect(await ask("GET", "/v1/bans")).toEqual({ status: 200, body: [BAN, BAN, BAN] });
    expect(await ask("POST", "/v1/unban", '{"all":true}')).toMatchObject({ body: { lifted: 9 } });
    expect(await ask("POST", "/v1/unban", '{"addresses":["a","b"]}')).toMatchObject({ body: { lifted: 2 } });
    expect(await ask("POST", "/v1/unban", '{"origin":"scorer"}')).toMatchObject({ body: { lifted: 9 } });
    expect(await ask("POST", "/v1/orders?origin=scorer", '{"address":"192.0.2.1"}\n\n{}\n')).toMatchObject({
      body: { done: 2, sentences: ["in the name of scorer"] },
    });
    expect(await ask("GET", "/v1/held?origin=x")).toMatchObject({
      body: [{ origin: "x", fact: "wider than /24" }],
    });
    expect(await ask("POST", "/v1/notify", '{"name":"team"}')).toMatchObject({ body: { trouble: null } });
    expect(await ask("POST", "/v1/fail2ban", '{"command":["get","sshd","bantime"]}')).toMatchObject({
      body: { value: ["get", "sshd", "bantime"] },
    });
    expect(await ask("POST", "/v1/held", '{"act":"drop"}')).toMatchObject({ body: { done: 5 } });
    expect(await ask("GET", "/v1/why?address=192.0.2.1")).toMatchObject({ body: { lines: ["\x1b"] } });
  });

  it("answers with metrics in Prometheus' text format", async () => {
    await open();
    const { type, text } = await askText("/v1/metrics");
    expect(type).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect(text).toContain("# TYPE process_cpu_seconds_total counter\n");
  });

  it("answers with a sentence when it cannot", async () => {
    await open();
    const error = async (method: string, url: string, body?: string): Promise<unknown> => {
      const { status, body: answer } = await ask(method, url, body);
      return [status, (answer as { error: string }).error];
    };
    expect(await error("GET", "/v1/why?address=x")).toEqual([400, "Cannot explain x: not an IP address"]);
    expect(await error("GET", "/nothing")).toEqual([404, "Not found: GET /nothing"]);
    expect(await error("POST", "/v1/ban", "{")).toEqual([400, "Cannot read the request: it is not JSON"]);
    expect(await error("POST", "/v1/ban", "1")).toEqual([
      400,
      "Cannot read the request: it is not a JSON object",
    ]);
    expect(await error("POST", "/v1/ban", '{"addresses":[1]}')).toEqual([
      400,
      "Cannot read the request: addresses must be a string",
    ]);
    expect(await error("POST", "/v1/ban", '{"addresses":"x"}')).toEqual([
      400,
      "Cannot read the request: addresses must be a list of strings",
    ]);
    expect(await error("POST", "/v1/ban", '{"addresses":["x"],"jail":"j"}')).toEqual([
      400,
      'Cannot ban: {"addresses":["x"],"jail":"j"}',
    ]);
    expect(await error("POST", "/v1/reload")).toEqual([500, "Cannot answer: a bug"]);
  });

  it("refuses and counts a request that is too long [limit: requestBytes]", async () => {
    const stats = await open();
    const long = await ask("POST", "/v1/ban", "x".repeat(LIMITS.requestBytes.value + 1));
    expect(long).toEqual({
      status: 413,
      body: { error: "Cannot read the request: it is longer than 1048576 bytes" },
    });
    expect(stats.tooLong).toBe(1);
  });

  it("closes and counts connections over its limit, and serves the others [limit: controlConnections]", async () => {
    const stats = await open();
    const dialed = (): Promise<Socket> =>
      new Promise((resolve, reject) => {
        const socket = connect(path, () => resolve(socket));
        socket.on("error", reject);
      });
    const silent: Socket[] = [];
    for (let i = 0; i < LIMITS.controlConnections.value; i++) silent.push(await dialed());
    const tooMany = await dialed();
    await new Promise((resolve) => tooMany.once("close", resolve));
    expect(stats.turnedAway).toBe(1);
    silent.pop()?.destroy();
    await eventually(async () => expect((await ask("GET", "/v1/status")).status).toBe(200));
    for (const socket of silent) socket.destroy();
  });

  it("sends a long list in pieces", async () => {
    await open(20_000);
    const { body } = await ask("GET", "/v1/bans");
    expect(body).toHaveLength(20_000);
  });

  it("replaces the socket of a dead daemon, but not of a running one", async () => {
    await open();
    await expect(openControlSocket(path, controller)).rejects.toThrow(
      `Cannot listen on ${path}: another stoplog is running there`,
    );
    await close?.();
    close = null;
    expect(existsSync(path)).toBe(false);
    const dying = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", dying]);
    expect(lstatSync(path).isSocket()).toBe(true);
    await open();
    expect((await ask("GET", "/v1/status")).status).toBe(200);
  });

  it("never removes what is not a socket", async () => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, "precious");
    await expect(openControlSocket(path, controller)).rejects.toThrow("it is not a socket");
    expect(readFileSync(path, "utf8")).toBe("precious");
  });

  it("refuses a path that is too long for the kernel", async () => {
    const long = join(directory, "x".repeat(120));
    await expect(openControlSocket(long, controller)).rejects.toThrow("the path is longer than 107 bytes");
  });
});
