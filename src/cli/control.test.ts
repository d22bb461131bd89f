import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, askForLines } from "./control.ts";

let folder = "";
let socket = "";
let server: Server | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-control-"));
  socket = join(folder, "control.sock");
});

afterEach(async () => {
  await new Promise<void>((done) => (server === null ? done() : server.close(() => done())));
  server = null;
  rmSync(folder, { recursive: true });
});

async function listen(made: Server): Promise<void> {
  server = made;
  await new Promise<void>((done) => made.listen(socket, done));
}

const serve = (listener: RequestListener): Promise<void> => listen(createHttpServer(listener));
const question = { method: "GET", path: "/v1/status" } as const;

describe("ask()", () => {
  it("answers with the JSON", async () => {
    await serve((_request, response) => response.end('{"pid":1}'));
    expect(await ask(socket, question)).toEqual({ pid: 1 });
  });

  it("reports a file that is not a socket, and a missing path", async () => {
    mkdirSync(socket);
    await expect(ask(socket, question)).rejects.toThrow(`no process listens at ${socket} (is it running?)`);
    const under = join("/dev/null", "x.sock");
    await expect(ask(under, question)).rejects.toThrow(
      `Cannot reach the daemon: part of the path is not a directory at ${under}`,
    );
  });

  it("gives up when the daemon is silent before or during its answer", async () => {
    const fact = "Cannot reach the daemon: no answer for 0.05 s";
    let head = false;
    await serve((_request, response) => {
      if (head) response.write("[");
    });
    await expect(ask(socket, question, { silence: 50 })).rejects.toThrow(fact);
    head = true;
    await expect(ask(socket, question, { silence: 50 })).rejects.toThrow(fact);
  });

  it("reports a connection that the daemon closes", async () => {
    await listen(createServer((connection) => connection.on("data", () => connection.destroy())));
    await expect(ask(socket, question)).rejects.toThrow(
      `Cannot reach the daemon: it closed the connection at ${socket}`,
    );
  });

  it("reports an answer that is cut off", async () => {
    await serve((_request, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("[", () => response.destroy());
    });
    await expect(ask(socket, question)).rejects.toThrow("Cannot read the daemon's answer: it was cut off");
  });

  it("reports another program at the socket", async () => {
    await listen(createServer((connection) => connection.on("data", () => connection.end("SSH-2.0-x\r\n"))));
    await expect(ask(socket, question)).rejects.toThrow(
      `the program that listens at ${socket} is not Stoplog`,
    );
  });

  it("reads NDJSON, and reports a daemon that does not send it yet", async () => {
    const values = async (): Promise<unknown[]> => {
      const read: unknown[] = [];
      for await (const some of askForLines(socket, "/v1/bans")) read.push(...some);
      return read;
    };
    await serve((request, response) => {
      response.writeHead(200, { "content-type": request.headers.accept });
      response.end('{"a":1}\n{"b":2}\n');
    });
    expect(await values()).toEqual([{ a: 1 }, { b: 2 }]);
    await new Promise<void>((done) => server?.close(() => done()));
    await serve((_request, response) =>
      response.writeHead(200, { "content-type": "application/json" }).end("[]"),
    );
    await expect(values()).rejects.toThrow("Cannot read the daemon's answer: it is of another version");
  });

  it("refuses an answer over its limit, one that is not JSON, and an error without a sentence", async () => {
    await serve((_request, response) => response.end("[1,2,3"));
    await expect(ask(socket, question, { maxBytes: 5 })).rejects.toThrow("it is longer than 5 bytes");
    await expect(ask(socket, question)).rejects.toThrow("Cannot read the daemon's answer: it is not JSON");
    await new Promise<void>((done) => server?.close(() => done()));
    await serve((_request, response) => response.writeHead(413).end("Payload Too Large"));
    await expect(ask(socket, question)).rejects.toThrow("Cannot do that: the daemon answered 413");
  });
});
