import { afterEach, describe, expect, it } from "vitest";
import { Book } from "../../book/book.ts";
import { parsePrefix } from "../../core/prefix.ts";
import { FOREVER } from "../../core/time.ts";
import { loadZeroMq } from "../zmq/load-zeromq.ts";
import { type PublisherOptions, ZmqPublisher } from "./zmq-publisher.ts";
import { until } from "../../../test/support/waiting.ts";

const ENDPOINT = `ipc:///tmp/stoplog-test-${process.pid}.sock`;
const OPTIONS: PublisherOptions = {
  type: "zmq",
  name: "x",
  connect: [],
  bind: [ENDPOINT],
  curve: null,
  heartbeat: false,
  topic: "stoplog_bans",
  swabber: false,
  origins: null,
  jails: null,
  echo: false,
};

function ban(book: Book, i: number, { origin = "local", jail = "sshd" } = {}): void {
  const prefix = parsePrefix(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
  if (prefix === null) throw new Error(String(i));
  book.ban({ prefix, target: "t", jail, reason: "r", since: 0, until: FOREVER, origin });
}

describe("a publisher over ØMQ", () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  const open = async (options: Partial<PublisherOptions>, book: Book) => {
    const warnings: string[] = [];
    const warn = (sentence: string): void => void warnings.push(sentence);
    const publisher = new ZmqPublisher(
      { ...OPTIONS, ...options },
      { book, epoch: 1, say: () => undefined, warn },
    );
    closing.push(() => publisher.close());
    await publisher.open();
    return { publisher, warnings };
  };
  const subscribe = () => {
    const { Subscriber } = loadZeroMq();
    const socket = new Subscriber({ receiveHighWaterMark: 100, linger: 0 });
    socket.subscribe("");
    socket.connect(ENDPOINT);
    closing.push(() => socket.close());
    return socket;
  };

  it("publishes the chosen bans only", async () => {
    const book = new Book({ capacity: 100, changes: 100 });
    const { publisher } = await open({ origins: ["local"], jails: ["sshd"] }, book);
    publisher.leaveOut(["bus"]);
    ban(book, 1);
    ban(book, 2, { origin: "operator" });
    ban(book, 3, { jail: "web" });
    ban(book, 4, { origin: "bus" });
    await until("four messages are counted", () => publisher.stats.published + publisher.stats.left === 4);
    expect(publisher.stats).toMatchObject({ published: 1, left: 3 });
  });

  it("counts what a slow subscriber misses, and does not wait for it [limit: busFrames]", async () => {
    const book = new Book({ capacity: 400_000, changes: 400_000 });
    const { publisher, warnings } = await open({}, book);
    subscribe(); // and never reads
    const reader = subscribe();
    ban(book, 0);
    await until("the message is published", () => publisher.stats.published === 1);
    await until("both subscribers are connected", () => publisher.state.includes("2 connected"));
    let read = 0;
    const reading = (async () => {
      for (;;) {
        await reader.receive();
        read++;
      }
    })();
    reading.catch(() => undefined);
    // In portions, so that readers keep up.
    for (let i = 1; i <= 300_000 && publisher.stats.missed === 0; i++) {
      ban(book, i);
      if (i % 2000 === 0)
        await until("the subscriber keeps up", () => publisher.stats.published === i + 1 && read >= i - 2000);
    }
    const { published, missed } = publisher.stats;
    expect(missed).toBeGreaterThan(0);
    expect(warnings).toEqual(["A subscriber of publisher x is too slow and misses bans"]);
    await until("all messages are read", () => read >= published - 1);
  });

  it("publishes the whole book when it has fallen behind the feed", async () => {
    const book = new Book({ capacity: 1000, changes: 10 });
    const { publisher, warnings } = await open({}, book);
    for (let i = 0; i < 100; i++) ban(book, i);
    await until("a hundred messages are published", () => publisher.stats.published >= 100);
    expect(publisher.stats).toMatchObject({ resyncs: 1, published: 100 });
    expect(warnings).toEqual(["Publisher x fell behind and publishes all bans again"]);
  });

  it("says why it cannot publish", async () => {
    const book = new Book({ capacity: 10, changes: 10 });
    const { publisher, warnings } = await open({ bind: ["ipc:///nowhere/at/all.sock"] }, book);
    expect(publisher.state).toMatch(/^Cannot publish to x: Cannot bind ipc:\/\/\/nowhere\/at\/all.sock: /);
    expect(warnings).toEqual([publisher.state]);
  });
});
