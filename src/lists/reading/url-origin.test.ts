import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AddressRanges } from "../../core/ranges.ts";
import { HOUR } from "../../core/time.ts";
import { until } from "../../../test/support/waiting.ts";
import { AddressList, type ListOptions } from "./address-list.ts";
import { DEFAULT_SWAY } from "./check-list.ts";
import { KeptCopies } from "./kept-copy.ts";
import { networks } from "../../../test/support/parsed-list.ts";
import { DEFAULT_BOUNDS } from "./parse-list.ts";
import { SPECIAL_PURPOSE } from "../../core/special-purpose.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

describe("an AddressList of a URL", () => {
  let dir: string;
  let server: ReturnType<typeof createServer>;
  let url: string;
  let answer: Answer;
  let requests: { url: string; headers: IncomingMessage["headers"] }[];
  const runs: { stop(): Promise<void> }[] = [];

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "stoplog-list-"));
    requests = [];
    answer = plain("192.0.2.1\n");
    server = createServer((request, response) => {
      requests.push({ url: request.url ?? "", headers: request.headers });
      answer(request, response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list.txt`;
  });

  afterEach(async () => {
    for (const one of runs.splice(0)) await one.stop();
    server.closeAllConnections();
    server.close();
    rmSync(dir, { recursive: true });
  });

  it("is fetched, and not fetched again before its interval has passed, also after a restart", async () => {
    const first = run({ interval: HOUR });
    await first.holds("192.0.2.1");
    await first.waits();
    expect(requests[0]?.headers).toMatchObject({ "user-agent": "stoplog/test" });
    expect(requests[0]?.headers["if-none-match"]).toBeUndefined();
    await first.stop();
    const second = run({ interval: HOUR });
    await second.holds("192.0.2.1");
    await second.waits();
    expect(requests).toHaveLength(1);
  });

  it("is in use after a restart without a network", async () => {
    const first = run({ interval: 0 });
    await first.holds("192.0.2.1");
    await first.stop();
    server.closeAllConnections();
    server.close();
    const second = run({ interval: 0 });
    await second.holds("192.0.2.1");
    await second.troubled("Cannot fetch the list bad: connection refused; the previous version stays in use");
    expect(second.applied).toHaveLength(1);
  });

  it("is enforced later when the kernel refused it, without another fetch", async () => {
    const list = run({ interval: HOUR });
    list.refuse = true;
    await list.waits();
    expect(list.list.state.trouble).toBe("Cannot load the list bad: the kernel says no");
    list.refuse = false;
    await list.list.retry(list.signal);
    await list.holds("192.0.2.1");
    expect(list.list.state.trouble).toBeNull();
    expect(requests).toHaveLength(1);
  });

  it("is in no trouble any more when the server answers that it has not changed", async () => {
    let isDown = false;
    answer = (request, response) => {
      if (isDown) return void response.writeHead(503).end();
      if (request.headers["if-none-match"] === '"v1"') return void response.writeHead(304).end();
      response.writeHead(200, { etag: '"v1"' }).end("192.0.2.1\n");
    };
    const list = run({ interval: 20 });
    await list.holds("192.0.2.1");
    isDown = true;
    await until("it is in trouble", () => list.list.state.trouble !== null);
    const { length } = requests;
    isDown = false;
    await until(
      "it is in no trouble",
      () => list.list.state.trouble === null,
      () => `${requests.length - length} requests later: ${list.list.state.state}`,
    );
    expect(list.applied).toHaveLength(1);
  });

  it("is sent again only when it has changed", async () => {
    let version = 1;
    answer = (request, response) => {
      const etag = `"v${version}"`;
      if (request.headers["if-none-match"] === etag) return void response.writeHead(304).end();
      response
        .writeHead(200, { etag, "last-modified": "Fri, 01 May 2026 10:00:00 GMT" })
        .end(`192.0.2.${version}\n`);
    };
    const list = run({ interval: 20 });
    await list.holds("192.0.2.1");
    await until("it was requested three times", () => requests.length >= 3);
    expect(requests[1]?.headers).toMatchObject({
      "if-none-match": '"v1"',
      "if-modified-since": "Fri, 01 May 2026 10:00:00 GMT",
    });
    expect(list.applied).toHaveLength(1);
    version = 2;
    await list.holds("192.0.2.2");
  });

  it("is not fetched before its server allows it", async () => {
    answer = plain("192.0.2.1\n", { "cache-control": "public, max-age=7200" });
    const list = run({ interval: 0 });
    await list.holds("192.0.2.1");
    await list.waits();
    expect(wait()).toBeGreaterThan(1.9 * HOUR);
    answer = (_, response) => void response.writeHead(429, { "retry-after": "10800" }).end();
    const other = run({ interval: 0, name: "other" });
    await other.troubled(
      "Cannot fetch the list other: the server answers 429; the previous version stays in use",
    );
    await other.waits();
    expect(wait("other")).toBeGreaterThan(2.9 * HOUR);
  });

  it.each<[string, string, Answer]>([
    [
      "answers with an error",
      "the server answers 500",
      (_, response) => response.writeHead(500).end("192.0.2.9"),
    ],
    ["sends nothing of the kind", "", plain("<html>sorry</html>")],
    [
      "hangs up in the middle",
      "aborted",
      (_, response) => {
        response.writeHead(200, { "content-length": "1000" }).write("192.0.2.9\n");
        setTimeout(() => response.destroy(), 20);
      },
    ],
    ["sends more than the bound", "it is longer than 5000 bytes", plain("192.0.2.9\n".repeat(1000))],
    [
      "sends a bomb",
      "it is longer than 5000 bytes",
      plain(gzipSync(Buffer.alloc(1 << 20, "192.0.2.9\n")), { "content-encoding": "gzip" }),
    ],
    [
      "uses another content encoding",
      'the server uses a content encoding that was not requested, "br"',
      plain("x", { "content-encoding": "br" }),
    ],
    ["sends broken gzip", "incorrect header check", plain("192.0.2.9", { "content-encoding": "gzip" })],
    [
      "redirects in a circle",
      "it redirects more than 5 times",
      (_, response) => response.writeHead(302, { location: "/" }).end(),
    ],
    [
      "redirects to a file",
      "it redirects to nowhere",
      (_, response) => response.writeHead(302, { location: "file:///etc/passwd" }).end(),
    ],
    [
      "redirects without a place",
      "it redirects more than 5 times",
      (_, response) => response.writeHead(302).end(),
    ],
  ])("stays what it was when the server %s", async (_, fact, broken) => {
    const list = run({ interval: 20, bounds: { ...DEFAULT_BOUNDS, bytes: 5000 } });
    await list.holds("192.0.2.1");
    answer = broken;
    await list.troubled(
      fact === ""
        ? 'Cannot use the list bad: none of its 1 lines could be read, the first of which is "<html>sorry</html>"'
        : `Cannot fetch the list bad: ${fact}; the previous version stays in use`,
    );
    await list.holds("192.0.2.1");
    expect(readFileSync(join(dir, "bad.list"), "utf8")).toBe("192.0.2.1\n");
    answer = plain("192.0.2.2\n");
    await list.holds("192.0.2.2");
    expect(list.list.state.trouble).toBeNull();
  });

  it("follows redirects, and sends headers meant for the first host to that host only", async () => {
    answer = (request, response) => {
      if (request.url === "/list.txt") {
        return void response
          .writeHead(301, { location: url.replace("127.0.0.1", "localhost").replace("list", "new") })
          .end();
      }
      response.end("192.0.2.7\n");
    };
    server.close();
    server.listen(Number(new URL(url).port));
    await once(server, "listening");
    const list = run({ interval: HOUR, headers: { Key: "secret" } });
    await list.holds("192.0.2.7");
    expect(requests.map(({ headers }) => headers["key"])).toEqual(["secret", undefined]);
    expect(requests[1]?.url).toBe("/new.txt");
  });

  it("is unpacked when it is sent as gzip", async () => {
    answer = plain(gzipSync("192.0.2.8\n"), { "content-encoding": "gzip" });
    await run({ interval: HOUR }).holds("192.0.2.8");
    expect(readFileSync(join(dir, "bad.list"), "utf8")).toBe("192.0.2.8\n");
  });

  it("is held back when it changes too much, and used once it is released", async () => {
    const many = Array.from({ length: 2000 }, (_, i) => `198.51.${i >> 7}.${(i & 127) * 2}\n`).join("");
    answer = plain(many, { etag: '"many"' });
    const first = run({ interval: 20 });
    await until("the list is loaded", () => first.list.state.networks === 2000);
    answer = plain("192.0.2.1\n", { etag: '"few"' });
    await until("the list is held", () => first.list.state.held !== null);
    expect(readFileSync(join(dir, "bad.list"), "utf8")).toBe(many);
    // Until it is released it is fetched completely.
    const before = requests.length;
    await until("it was requested again", () => requests.length > before + 1);
    expect(requests.at(-1)?.headers["if-none-match"]).toBe('"many"');
    expect(await first.list.release(first.signal)).toBe(true);
    await first.holds("192.0.2.1");
    await until(
      "it was requested with the newer tag",
      () => requests.at(-1)?.headers["if-none-match"] === '"few"',
    );
    await first.stop();
    expect(readFileSync(join(dir, "bad.list"), "utf8")).toBe("192.0.2.1\n");
  });

  it("fails when the server switches protocols instead of answering", async () => {
    server.on("upgrade", (_, socket) => {
      socket.end("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n");
    });
    const headers = { Connection: "Upgrade", Upgrade: "other" };
    const list = run({ interval: HOUR, headers });
    await until(
      "the list is in trouble",
      () => list.list.state.trouble !== null,
      () => list.list.state.state,
    );
    expect(list.list.state.trouble).toBe(
      "Cannot fetch the list bad: the server ends the connection without an answer; the previous version stays in use",
    );
  });

  it("stays released when a fetch is in progress", async () => {
    const many = Array.from({ length: 2000 }, (_, i) => `198.51.${i >> 7}.${(i & 127) * 2}\n`).join("");
    answer = plain(many, { etag: '"many"' });
    const first = run({ interval: 20 });
    await until("the list is loaded", () => first.list.state.networks === 2000);
    answer = plain("192.0.2.1\n", { etag: '"few"' });
    await until("the list is held", () => first.list.state.held !== null);
    let refuse: () => void = () => {};
    answer = (_, response) => {
      refuse = () => response.writeHead(500).end();
    };
    const before = requests.length;
    await until("it was requested again", () => requests.length > before);
    expect(await first.list.release(first.signal)).toBe(true);
    refuse();
    await until("the list is in trouble", () => first.list.state.trouble !== null);
    await first.stop();
    expect(JSON.parse(readFileSync(join(dir, "bad.json"), "utf8"))).toMatchObject({
      etag: '"few"',
      listed: { networks: 1 },
    });
  });

  it("keeps the released version when the server has sent another since", async () => {
    const many = Array.from({ length: 2000 }, (_, i) => `198.51.${i >> 7}.${(i & 127) * 2}\n`).join("");
    answer = plain(many, { etag: '"many"' });
    const first = run({ interval: 20 });
    await until("the list is loaded", () => first.list.state.networks === 2000);
    answer = plain("192.0.2.1\n", { etag: '"few"' });
    await until("the list is held", () => first.list.state.held !== null);
    answer = plain("<html>\n", { etag: '"sorry"' });
    await until("the list is in trouble", () => first.list.state.trouble !== null);
    answer = (_, response) => void response.writeHead(304).end();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await first.list.release(first.signal)).toBe(true);
    await first.stop();
    expect(readFileSync(join(dir, "bad.list"), "utf8")).toBe("192.0.2.1\n");
    expect(JSON.parse(readFileSync(join(dir, "bad.json"), "utf8"))).toMatchObject({ etag: '"few"' });
  });

  it("is fetched at once when its URL changes, whatever is stored of the old one", async () => {
    const first = run({ interval: HOUR });
    await first.holds("192.0.2.1");
    await first.waits();
    await first.stop();
    answer = plain("192.0.2.2\n");
    url = url.replace("list", "other");
    const second = run({ interval: HOUR });
    await second.holds("192.0.2.2");
    expect(second.applied).toHaveLength(1);
    expect(requests.map((one) => one.url)).toEqual(["/list.txt", "/other.txt"]);
    expect(requests[1]?.headers["if-none-match"]).toBeUndefined();
  });

  it("does not show secrets in its URL", async () => {
    url += "?key=secret";
    const list = run({ interval: HOUR });
    await list.holds("192.0.2.1");
    await list.waits();
    expect(list.list.state.state).not.toContain("secret");
  });

  /** Milliseconds until it may be fetched again. */
  function wait(name = "bad"): number {
    const { next } = JSON.parse(readFileSync(join(dir, `${name}.json`), "utf8")) as { next: number };
    return next - Date.now();
  }

  function run(
    options: Partial<Omit<ListOptions, "from">> & {
      interval: number;
      headers?: Readonly<Record<string, string>>;
    },
  ) {
    mkdirSync(dir, { recursive: true });
    const { interval, headers = {}, ...rest } = options;
    const abort = new AbortController();
    const applied: AddressRanges[] = [];
    const list = new AddressList(
      {
        name: "bad",
        from: { kind: "url", url, headers, interval },
        bounds: DEFAULT_BOUNDS,
        sway: DEFAULT_SWAY,
        ...rest,
      },
      {
        copies: new KeptCopies(dir),
        userAgent: "stoplog/test",
        exempt: () => SPECIAL_PURPOSE,
        apply: async (ranges) => {
          if (running.refuse) throw new Error("the kernel says no");
          applied.push(ranges);
        },
        say: () => {},
      },
    );
    const running = {
      refuse: false,
      list,
      applied,
      signal: abort.signal,
      async holds(...wanted: readonly string[]) {
        const shown = () => JSON.stringify(applied.length === 0 ? null : networks(applied.at(-1)!));
        await until("the list holds the wanted networks", () => shown() === JSON.stringify(wanted), shown);
      },
      troubled: (fact: string) =>
        until(
          "the list is in this trouble",
          () => list.state.trouble === fact,
          () => String(list.state.trouble),
        ),
      waits: () =>
        until(
          "the list waits for its next try",
          () => list.state.state.includes("again at"),
          () => list.state.state,
        ),
      async stop() {
        abort.abort();
        await done;
      },
    };
    const done = list.run(abort.signal);
    runs.push(running);
    return running;
  }
});

function plain(body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Answer {
  return (_, response) => void response.writeHead(200, headers).end(body);
}
