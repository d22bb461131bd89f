import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createNetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { change, COMMON, message, NOW } from "../../../test/support/notify-messages.ts";
import type { WebhookOptions } from "./kind.ts";
import { sendWebhook } from "./webhook.ts";

interface Got {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

let server: Server;
let url = "";
let got: Got[] = [];
let folder = "";
let reply: (response: ServerResponse) => void = (response) => response.end("ok");

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-webhook-"));
  got = [];
  reply = (response) => response.end("ok");
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString("utf8");
      got.push({ method: request.method, url: request.url, headers: request.headers, body });
      reply(response);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/s3cr3t/hook`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function send(
  options: Partial<WebhookOptions> & { readonly timeout?: number } = {},
  signal = new AbortController().signal,
) {
  const deliver = sendWebhook(
    {
      ...COMMON,
      type: "webhook",
      each: false,
      url: { text: url },
      template: { kind: "json" },
      headers: {},
      keyFile: null,
      secretFile: null,
      ...options,
    },
    { userAgent: "stoplog/1", now: () => NOW },
  );
  return deliver(message([change("192.0.2.1", { reason: 'é\r\n"x"' })]), signal);
}

describe("a webhook", () => {
  it("posts the document with additional headers, a key, and a signature that receivers can verify", async () => {
    const outcome = await send({
      headers: { "X-Team": "ops" },
      keyFile: file("key", "k3y\n"),
      secretFile: file("secret", "  s3cret\n"),
    });
    expect(outcome).toEqual({ kind: "sent" });
    expect(got).toHaveLength(1);
    const [{ method, url: path, headers, body }] = got as [Got];
    expect([method, path]).toEqual(["POST", "/s3cr3t/hook"]);
    expect(headers).toMatchObject({
      "x-team": "ops",
      authorization: "Bearer k3y",
      "user-agent": "stoplog/1",
      "x-stoplog-delivery": "a1b2",
      "content-type": "application/json; charset=utf-8",
      "content-length": String(Buffer.byteLength(body)),
    });
    expect(JSON.parse(body)).toMatchObject({ events: [{ address: "192.0.2.1", reason: 'é\r\n"x"' }] });
    const t = NOW / 1000;
    const v1 = createHmac("sha256", "s3cret").update(`${t}.${body}`).digest("hex");
    expect(headers["x-stoplog-signature"]).toBe(`t=${t},v1=${v1}`);
  });

  it("reads its URL from a file, again for each message", async () => {
    const urlFile = file("url", `${url}\n`);
    expect(await send({ url: { file: urlFile } })).toEqual({ kind: "sent" });
    file("url", "ftp://example.org/");
    expect(await send({ url: { file: urlFile } })).toMatchObject({
      kind: "later",
      fact: `Cannot send: ${urlFile} does not contain an http URL`,
    });
    rmSync(urlFile);
    expect(await send({ url: { file: urlFile } })).toMatchObject({
      fact: `Cannot read ${urlFile}: no such file or directory`,
    });
    expect(await send({ keyFile: file("key", "a\r\nX-Evil: 1") })).toMatchObject({
      fact: `Cannot read ${folder}/key: not one line of plain text`,
    });
  });

  it.each([
    [500, {}, "later", null],
    [503, { "retry-after": "7" }, "later", 7000],
    [429, { "retry-after": "120" }, "later", 120_000],
    [408, {}, "later", null],
    [400, {}, "refused", undefined],
    [404, { "retry-after": "7" }, "refused", undefined],
  ] as const)("that answers %i with %j is %s", async (status, headers, kind, wait) => {
    reply = (response) => response.writeHead(status, headers).end("no\u001b[31m such\nhook");
    const outcome = await send();
    expect(outcome).toMatchObject({ kind, fact: `the server answers ${status}: no\\x1b[31m such hook` });
    if (wait !== undefined) expect(outcome).toMatchObject({ wait });
  });

  it("that redirects is not followed: no other server gets the message", async () => {
    reply = (response) => response.writeHead(307, { location: `${url}/elsewhere` }).end();
    expect(await send()).toEqual({
      kind: "refused",
      fact: "the server answers 307; redirects are not followed",
    });
    expect(got).toHaveLength(1);
  });

  it("that switches to another protocol did not accept the message", async () => {
    reply = (response) => {
      response.socket?.write("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
    };
    expect(await send()).toMatchObject({
      fact: "127.0.0.1: the server closed the connection without a response",
    });
  });

  it("of AbuseIPDB waits when the day's reports are used up, not when the address was reported", async () => {
    const template = { kind: "abuseipdb", categories: { sshd: [22] } } as const;
    const detail =
      "You can only report the same IP address (`2001:db8:1111:2222:3333:4444:5555:6666`) once in 15 minutes.";
    reply = (response) => response.writeHead(429).end(JSON.stringify({ errors: [{ detail, status: 429 }] }));
    expect(await send({ template })).toEqual({ kind: "sent" });
    expect(await send()).toMatchObject({ kind: "later" });
    reply = (response) =>
      response.writeHead(429, { "retry-after": "29241" }).end("Daily rate limit exceeded");
    expect(await send({ template })).toMatchObject({ kind: "later", wait: 29_241_000 });
  });

  it("whose response never ends is closed after 4 KiB", async () => {
    let written = 0;
    const flood = (status: number) => (response: ServerResponse) => {
      response.writeHead(status);
      const more = (): void => {
        while (!response.destroyed && response.write("x".repeat(65_536))) written += 65_536;
        if (!response.destroyed) response.once("drain", more);
      };
      more();
    };
    reply = flood(500);
    expect(await send({ timeout: 20_000 })).toMatchObject({
      kind: "later",
      fact: expect.stringMatching(/^.{180,200}$/),
    });
    reply = flood(200);
    expect(await send({ timeout: 20_000 })).toEqual({ kind: "sent" });
    // What lies in the buffers of both sockets.
    expect(written).toBeLessThan(64 << 20);
  });

  it("that is slow, silent, missing or not HTTP is retried, and no error names its URL", async () => {
    reply = () => undefined;
    const silent = await send({ timeout: 200 });
    expect(silent).toMatchObject({ kind: "later", fact: "127.0.0.1 took longer than 200ms" });
    const abort = new AbortController();
    const sent = send({ timeout: 60_000 }, abort.signal);
    abort.abort();
    expect(await sent).toMatchObject({ fact: "127.0.0.1 had not answered when Stoplog stopped" });
    const other = createNetServer((socket) =>
      socket
        .on("error", () => undefined)
        .resume()
        .end("220 mail ready\r\n"),
    );
    other.listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const text = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/s3cr3t`;
    const wrong = await send({ url: { text } });
    expect(wrong.kind).toBe("later");
    other.close();
    await once(other, "close");
    const gone = await send({ url: { text } });
    expect(gone).toMatchObject({ kind: "later", fact: "127.0.0.1: connection refused" });
    expect(JSON.stringify([silent, wrong, gone])).not.toContain("s3cr3t");
  });
});
