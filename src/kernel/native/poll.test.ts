import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { DatagramReader } from "./datagrams.ts";
import {
  AF_UNIX,
  loadNative,
  nativeFault,
  openSocket,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
} from "./libc.ts";
import { watchFault, watchReadable } from "./poll.ts";
import { unixSocketAddress } from "./socket-address.ts";

describe.skipIf(nativeFault() !== null)("a UNIX datagram socket in Node's event loop", () => {
  const { libc } = nativeFault() === null ? loadNative() : { libc: null as never };
  const open: (() => void)[] = [];
  afterEach(() => {
    for (const close of open.splice(0).reverse()) close();
  });

  function socketPair() {
    const folder = mkdtempSync(join(tmpdir(), "stoplog-"));
    open.push(() => rmSync(folder, { recursive: true }));
    const path = unixSocketAddress(join(folder, "s"));
    const what = [AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0] as const;
    const receiver = openSocket(libc, "open a socket", what);
    const sender = openSocket(libc, "open a socket", what);
    open.push(() => {
      libc.close(receiver);
      libc.close(sender);
    });
    expect(libc.bind(receiver, path, path.length)).toBe(0);
    const send = (text: string | Buffer) => {
      const bytes = Buffer.from(text);
      return libc.sendto(sender, bytes, bytes.length, 0, path, path.length);
    };
    return { receiver, send, path: join(folder, "s") };
  }

  it("passes its own check", async () => {
    expect(await watchFault()).toBeNull();
  });

  it("is called for each datagram, and not after it was closed", async () => {
    const { receiver, send, path } = socketPair();
    expect(existsSync(path)).toBe(true);
    const reader = new DatagramReader(receiver, { maxBytes: 100 });
    const seen: string[] = [];
    let wake = () => {};
    const watch = watchReadable(receiver, () => {
      const n = reader.receive();
      for (let i = 0; i < n; i++) {
        seen.push(reader.bytes.toString("latin1", reader.offset(i), reader.offset(i) + reader.length(i)));
      }
      wake();
    });
    const woken = () => new Promise<void>((resolve) => (wake = resolve));
    let next = woken();
    send("one");
    await next;
    next = woken();
    send("two");
    send("three");
    await next;
    expect(seen).toEqual(["one", "two", "three"]);
    watch.close();
    watch.close();
    send("four");
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(seen).toHaveLength(3);
    expect(reader.receive()).toBe(1);
  });

  it("rethrows a listener's exception as an ordinary uncaught one", async () => {
    const { receiver, send } = socketPair();
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    const caught = new Promise((resolve) => process.once("uncaughtException", resolve));
    const watch = watchReadable(receiver, () => {
      watch.close();
      throw new Error("from the listener");
    });
    send("x");
    expect(await caught).toMatchObject({ message: "from the listener" });
    for (const listener of listeners) process.on("uncaughtException", listener);
  });

  it("refuses an invalid descriptor", () => {
    expect(() => watchReadable(9999, () => {})).toThrow("Cannot watch descriptor 9999: bad file descriptor");
  });

  it("calls the right listener while many watches are opened and closed", async () => {
    for (let round = 0; round < 20; round++) {
      const pairs = Array.from({ length: 10 }, socketPair);
      const calls = await Promise.all(
        pairs.map(
          ({ receiver, send }, i) =>
            new Promise<number>((resolve) => {
              const reader = new DatagramReader(receiver, { maxBytes: 10 });
              const watch = watchReadable(receiver, () => {
                expect(reader.receive()).toBe(1);
                watch.close();
                resolve(Number(reader.bytes.toString("latin1", 0, reader.length(0))));
              });
              send(String(i));
            }),
        ),
      );
      expect(calls).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      for (const close of open.splice(0).reverse()) close();
    }
  });

  it("truncates a datagram that is too long, reports it, and leaves its neighbours intact", () => {
    const { receiver, send } = socketPair();
    const reader = new DatagramReader(receiver, { slots: 4, maxBytes: 8 });
    send("12345678");
    send("123456789");
    send("");
    send(Buffer.from([0xff, 0, 10]));
    send("fifth");
    expect(reader.receive()).toBe(4);
    const shown = [0, 1, 2, 3].map((i) => [
      reader.bytes.toString("latin1", reader.offset(i), reader.offset(i) + reader.length(i)),
      reader.truncated(i),
    ]);
    expect(shown).toEqual([
      ["12345678", false],
      ["12345678", true],
      ["", false],
      ["\xff\0\n", false],
    ]);
    expect(reader.receive()).toBe(1);
    expect(reader.length(0)).toBe(5);
    expect(reader.truncated(0)).toBe(false);
    expect(reader.receive()).toBe(0);
  });

  it("refuses a socket path that does not fit", () => {
    expect(() => unixSocketAddress("/x".repeat(54))).toThrow("a path has 1 to 107 bytes, this one has 108");
    expect(unixSocketAddress("/x".repeat(53)).length).toBe(2 + 106 + 1);
  });
});
