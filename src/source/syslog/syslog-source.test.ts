import { execFile } from "node:child_process";
import { createSocket } from "node:dgram";
import {
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  AF_UNIX,
  loadNative,
  nativeFault,
  openSocket,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
} from "../../kernel/native/libc.ts";
import { unixSocketAddress } from "../../kernel/native/socket-address.ts";
import { LIMITS } from "../../core/limits.ts";
import { CollectedLines } from "../../../test/support/collected-lines.ts";
import { block, until } from "../../../test/support/waiting.ts";
import type { SourcePosition } from "../source.ts";
import { parseListenAddress } from "./listen-address.ts";
import { SyslogSource } from "./syslog-source.ts";
import type { SyslogOptions } from "./kind.ts";

const closers: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function listen(
  options: Omit<SyslogOptions, "type">,
  slow: (() => void) | null = null,
  saved: SourcePosition | null = null,
) {
  const source = new SyslogSource("syslog", { type: "syslog", ...options }, saved);
  const got = new CollectedLines();
  const abort = new AbortController();
  const done = source.run((batch) => {
    slow?.();
    got.sink(batch);
  }, abort.signal);
  const stop = async () => {
    abort.abort();
    await done;
  };
  closers.push(() => stop().catch(() => undefined));
  await Promise.race([done, until("the source listens", () => source.stats.state.startsWith("listens"))]);
  const port = Number(/:(\d+)(,|$)/.exec(source.stats.state)?.[1]);
  return { source, got, done, stop, port };
}

describe("parseListenAddress()", () => {
  it.each([
    ["unix:/run/stoplog/syslog.sock", { kind: "unix", path: "/run/stoplog/syslog.sock" }],
    ["udp:127.0.0.1:514", { kind: "udp", host: "127.0.0.1", port: 514 }],
    ["tcp:[::1]:6514", { kind: "tcp", host: "::1", port: 6514 }],
    ["udp:localhost:0", { kind: "udp", host: "localhost", port: 0 }],
    ["udp:::1:514", "it needs an address and a port, IPv6 in brackets: udp:127.0.0.1:514, udp:[::1]:514"],
    ["tcp:[127.0.0.1]:1", "127.0.0.1 is not an IPv6 address"],
    ["tcp:example.com:1", "example.com is not an IPv4 address"],
    ["udp:0.0.0.0:65536", "65536 is not a port"],
    ["unix:run/x", "the path must begin with /"],
    ["unix:/run/", "the path must name a file"],
    [`unix:/${"x".repeat(107)}`, "the path has 108 bytes; a socket's path has at most 107"],
    ["http://x", "it must be unix:/PATH, udp:HOST:PORT or tcp:HOST:PORT"],
  ])("reads %s", (text, expected) => {
    expect(parseListenAddress(text)).toEqual(expected);
  });
});

describe.skipIf(nativeFault() !== null)("a UNIX socket for syslog", () => {
  // As root the source raises this setting of the machine: the test restores it.
  const queueLength = "/proc/sys/net/unix/max_dgram_qlen";
  const before = readFileSync(queueLength, "latin1");
  afterAll(() => {
    if (process.getuid?.() === 0) writeFileSync(queueLength, before);
  });

  let dir = "";
  let path = "";
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "stoplog-syslog-"));
    path = join(dir, "log");
    closers.push(() => rmSync(dir, { recursive: true }));
  });

  function sender() {
    const { libc } = loadNative();
    const fd = openSocket(libc, "open a socket", [AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0]);
    closers.push(() => void libc.close(fd));
    const address = unixSocketAddress(path);
    const MSG_DONTWAIT = 0x40;
    return (message: string | Buffer) => {
      const bytes = Buffer.from(message as string);
      return libc.sendto(fd, bytes, bytes.length, MSG_DONTWAIT, address, address.length) === bytes.length;
    };
  }

  it("delivers datagrams as lines, even hostile ones", async () => {
    const { got, source } = await listen({ listen: `unix:${path}`, maxLine: 8192 });
    const send = sender();
    const messages = [
      "<34>Oct 11 22:14:15 box su[7]: one",
      "",
      "<34>Oct 11 22:14:15 su[7]: two\nOct 11 22:14:15 box sshd[1]: forged\n",
      Buffer.from([0xff, 0, 10, 10]),
      "x".repeat(65_000),
      "<13>end",
    ];
    for (const message of messages) send(message);
    expect(await got.until(5)).toEqual([
      "Oct 11 22:14:15 box su[7]: one",
      "Oct 11 22:14:15 localhost su[7]: two Oct 11 22:14:15 box sshd[1]: forged",
      "\xff",
      "x".repeat(8192),
      "end",
    ]);
    expect(source.stats).toMatchObject({ cut: 1, shedBytes: 65_000 - 8192, shed: 0, waitingBytes: 0 });
    expect(source.stats.state).toMatch(/^listens on unix:.*, queue of \d+ datagrams$/);
  });

  it("lets only owner and group write by default, and removes the path at the end", async () => {
    const { stop } = await listen({ listen: `unix:${path}` });
    expect(lstatSync(path).mode & 0o777).toBe(0o660);
    await stop();
    expect(lstatSync(path, { throwIfNoEntry: false })).toBeUndefined();
    const root = process.getuid?.() === 0;
    await listen({ listen: `unix:${path}`, mode: 0o620, ...(root ? { owner: "nobody", group: "1" } : {}) }); // words: ok, a user
    const { mode, uid, gid } = statSync(path);
    expect(mode & 0o777).toBe(0o620);
    if (root) expect([uid, gid]).toEqual([65534, 1]);
  });

  it("names the gap in which it was not listening, except over TCP", async () => {
    const first = await listen({ listen: `unix:${path}` });
    await first.stop();
    const second = await listen({ listen: `unix:${path}` }, null, first.source.position());
    expect(second.source.stats.state).toMatch(/ datagrams, after a gap of 1s$/);
    const crashed = { heardUntil: Date.now() - 89_500 };
    const udp = await listen({ listen: "udp:127.0.0.1:0" }, null, crashed);
    expect(udp.source.stats.state).toMatch(/ KiB, after a gap of 1m 30s$/);
    expect(udp.source.position()?.["heardUntil"]).toBeGreaterThan(Date.now() - 60_000);
    const tcp = await listen({ listen: "tcp:127.0.0.1:0" }, null, crashed);
    expect(tcp.source.stats.state).toMatch(/^listens on tcp:127\.0\.0\.1:\d+$/);
    const broken = await listen({ listen: "udp:127.0.0.1:0" }, null, { heardUntil: "yesterday" });
    expect(broken.source.stats.state).not.toContain("after");
  });

  it("does not remove a path that names another file by now", async () => {
    const { stop } = await listen({ listen: `unix:${path}` });
    unlinkSync(path);
    writeFileSync(path, "mine");
    await stop().catch(() => undefined);
    expect(lstatSync(path).isFile()).toBe(true);
  });

  it("fails when its path is removed, so that the supervisor binds it again", async () => {
    const { done } = await listen({ listen: `unix:${path}` });
    unlinkSync(path);
    await expect(done).rejects.toThrow(`Cannot listen on unix:${path}: its path was removed or replaced`);
  });

  it("replaces a stale socket", async () => {
    const { libc } = loadNative();
    const fd = openSocket(libc, "open a socket", [AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0]);
    const address = unixSocketAddress(path);
    libc.bind(fd, address, address.length);
    libc.close(fd);
    const { got } = await listen({ listen: `unix:${path}` });
    sender()("hello");
    expect(await got.until(1)).toEqual(["hello"]);
  });

  it("refuses a path on which another process listens, for datagrams or streams", async () => {
    const first = await listen({ listen: `unix:${path}` });
    const sentence = `Cannot listen on unix:${path}: another process is using it`;
    await expect(listen({ listen: `unix:${path}` })).rejects.toThrow(sentence);
    await first.stop();
    const server = createServer().listen(path);
    closers.push(() => void server.close());
    await until("the server listens", () => server.listening);
    await expect(listen({ listen: `unix:${path}` })).rejects.toThrow(sentence);
  });

  it.each([
    ["a file", () => writeFileSync(path, ""), "the path exists and is not a socket"],
    ["a link", () => symlinkSync("/dev/null", path), "the path exists and is not a socket"],
    ["a missing folder", () => void (path = join(dir, "no/log")), "no such file or directory"],
    [
      "a folder that is a file",
      () => (writeFileSync(join(dir, "f"), ""), (path = join(dir, "f/log"))),
      "part of the path is not a directory",
    ],
  ])("refuses %s with a sentence", async (_what, arrange, fact) => {
    arrange();
    await expect(listen({ listen: `unix:${path}` })).rejects.toThrow(
      `Cannot listen on unix:${path}: ${fact}`,
    );
  });

  it("refuses an unknown owner", async () => {
    await expect(listen({ listen: `unix:${path}`, group: "no-such-group" })).rejects.toThrow(
      `Cannot listen on unix:${path}: Cannot find the group no-such-group: not in /etc/group (a numeric ID works too)`,
    );
  });

  it("never blocks senders when the sink is far too slow: sheds the oldest lines and counts them", async () => {
    const busy = () => block(5);
    const { got, source } = await listen({ listen: `unix:${path}` }, busy);
    const script =
      'socket(S, AF_UNIX, SOCK_DGRAM, 0); for (1..$ARGV[2]) { send(S, "<13>$ARGV[1] $_ " . "y" x 7000, 0, sockaddr_un($ARGV[0])) or die $! }';
    const [senders, each] = [4, 1500];
    await Promise.all(
      Array.from({ length: senders }, (_, i) =>
        perl("-MSocket", "-e", script, path, String(i), String(each)),
      ),
    );
    await until(
      "all lines were read or shed",
      () => got.lines.length + source.stats.shed === senders * each,
      () => `${got.lines.length} and ${source.stats.shed}`,
    );
    expect(source.stats.shed).toBeGreaterThan(0);
    for (let i = 0; i < senders; i++) {
      const numbers = got.lines
        .filter((line) => line.startsWith(`${i} `))
        .map((line) => Number(line.split(" ")[1]));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    }
  });
});

function perl(...args: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile("perl", args, (thrown) => (thrown === null ? resolve() : reject(thrown)));
  });
}

describe("UDP for syslog", () => {
  it.each(["udp:127.0.0.1:0", "udp:[::1]:0", "udp:localhost:0"])("takes datagrams on %s", async (address) => {
    const { got, port } = await listen({ listen: address });
    const socket = createSocket(address.includes("[") ? "udp6" : "udp4");
    closers.push(() => void socket.close());
    for (const text of ["<34>Oct 11 22:14:15 box su: one", "", "<34>Oct 11 22:14:15 su: two\n"]) {
      await new Promise((resolve) =>
        socket.send(text, port, address.includes("[") ? "::1" : "127.0.0.1", resolve),
      );
    }
    expect(await got.until(2)).toEqual(["Oct 11 22:14:15 box su: one", "Oct 11 22:14:15 - su: two"]);
  });

  it("says when the port is taken", async () => {
    const { port } = await listen({ listen: "udp:127.0.0.1:0" });
    await expect(listen({ listen: `udp:127.0.0.1:${port}` })).rejects.toThrow(
      `Cannot listen on udp:127.0.0.1:${port}: the address is in use`,
    );
    await expect(listen({ listen: "udp:192.0.2.1:514" })).rejects.toThrow("not an address of this machine");
  });

  it("counts datagrams that the kernel dropped [limit: udpBytes]", async () => {
    const { got, source, port } = await listen({ listen: "udp:127.0.0.1:0" });
    const socket = createSocket("udp4");
    closers.push(() => void socket.close());
    // Within one turn of the event loop the test sends more than the kernel's buffer holds.
    const text = Buffer.alloc(8000, "z");
    const sent = 3000;
    await Promise.all(
      Array.from(
        { length: sent },
        () => new Promise((resolve) => socket.send(text, port, "127.0.0.1", resolve)),
      ),
    );
    await until(
      "all lines were read or shed",
      () => got.lines.length + source.stats.shed === sent,
      () => `${got.lines.length} and ${source.stats.shed}`,
    );
    expect(source.stats.shed).toBeGreaterThan(0);
  });
});

describe("TCP for syslog", () => {
  function dial(port: number): Socket {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    closers.push(() => void socket.destroy());
    return socket;
  }

  it("reads both framings from several senders", async () => {
    const { got, port } = await listen({ listen: "tcp:127.0.0.1:0" });
    const [a, b] = [dial(port), dial(port)];
    a.write("<13>one\n8 <13>tw");
    await got.until(1);
    b.write("<13>three\n");
    await got.until(2);
    a.write("o\n<13>four");
    a.end();
    expect(await got.until(4)).toEqual(["one", "three", "two", "four"]);
  });

  it("closes the connection of a sender that announces too long a message, and serves the others [limit: messageBytes]", async () => {
    const { got, source, port } = await listen({ listen: "tcp:127.0.0.1:0" });
    const bad = dial(port);
    const closed = new Promise((resolve) => bad.once("close", resolve));
    bad.resume().write("999999999 <13>x");
    await closed;
    expect(source.stats).toMatchObject({ shed: 1, turnedAway: 1 });
    dial(port).write("<13>fine\n");
    expect(await got.until(1)).toEqual(["fine"]);
  });

  it("accepts 256 senders; a new one replaces the longest silent one [limit: senders]", async () => {
    const { got, port, source } = await listen({ listen: "tcp:127.0.0.1:0" });
    const first = dial(port);
    first.write("<13>first\n");
    await got.until(1);
    const closed = new Promise((resolve) => first.resume().once("close", resolve));
    for (let i = 1; i < LIMITS.senders.value; i++) dial(port).write(`<13>${i}\n`);
    await got.until(LIMITS.senders.value);
    expect(source.stats.turnedAway).toBe(0);
    dial(port).write("<13>one more\n");
    await closed;
    expect(source.stats).toMatchObject({ turnedAway: 1, shed: 0 });
  });

  it("waits thirty seconds for the rest of a message, even if bytes trickle in [limit: messageTime]", async () => {
    const { got, port, source } = await listen({ listen: "tcp:127.0.0.1:0" });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    closers.push(() => void vi.useRealTimers());
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    const slow = dial(port);
    let closed = false;
    slow.resume().once("close", () => (closed = true));
    slow.write("<13>whole\n<13>ha");
    while (got.lines.length === 0) await turn();
    for (let left = LIMITS.messageTime.value; left > 1000; left -= 1000) {
      vi.advanceTimersByTime(1000);
      slow.write("l");
      await turn();
    }
    expect([closed, source.stats.shed]).toEqual([false, 0]);
    vi.advanceTimersByTime(1000);
    while (!closed) await turn();
    expect([got.lines, source.stats.shed, source.stats.turnedAway]).toEqual([["whole"], 1, 1]);
  });

  it("loses no line of a fast sender when the sink is slow: the sender waits", async () => {
    const busy = () => block(3);
    const { got, source, port } = await listen({ listen: "tcp:127.0.0.1:0" }, busy);
    const socket = dial(port);
    const line = "<13>".padEnd(100, "w");
    const total = 150_000;
    socket.write(`${line}\n`.repeat(total));
    socket.end();
    await got.until(total);
    expect(source.stats).toMatchObject({ shed: 0, cut: 0 });
  });

  it("says when the port is taken", async () => {
    const { port } = await listen({ listen: "tcp:127.0.0.1:0" });
    await expect(listen({ listen: `tcp:127.0.0.1:${port}` })).rejects.toThrow("the address is in use");
  });
});
