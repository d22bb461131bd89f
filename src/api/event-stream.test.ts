import { describe, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import type { Ban } from "../core/ban.ts";
import { parsePrefix } from "../core/prefix.ts";
import { FOREVER } from "../core/time.ts";
import { eventStream } from "./event-stream.ts";

const ban = (text: string): Ban => {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`Cannot read ${text}`);
  return {
    prefix,
    target: "default",
    jail: "sshd",
    reason: "5 failures",
    since: 0,
    until: FOREVER,
    origin: "local",
  };
};

/** The events of a text: `id kind address`. */
function eventsIn(text: string): string[] {
  return text
    .split("\n\n")
    .filter((event) => event.includes("event:"))
    .map((event) => {
      const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(event)?.[1] ?? "-";
      const { address = "", by = "" } = JSON.parse(field("data")) as { address?: string; by?: string };
      return [field("id"), field("event"), address, by].join(" ").trim();
    });
}

class Listening {
  readonly abort = new AbortController();
  readonly #events: AsyncGenerator<string>;
  #text = "";

  constructor(book: Book, lastId: string | null) {
    this.#events = eventStream({ book, epoch: "e1" }, lastId, this.abort.signal);
  }

  /** Waits for so many events and returns them. */
  async take(count: number): Promise<string[]> {
    while (eventsIn(this.#text).length < count) {
      const { value, done } = await this.#events.next();
      if (done === true) throw new Error(`ended after ${this.#text}`);
      this.#text += value;
    }
    const events = eventsIn(this.#text);
    this.#text = "";
    return events;
  }

  async end(): Promise<void> {
    this.abort.abort();
    while ((await this.#events.next()).done !== true);
  }
}

describe("the changes of the bans as events", () => {
  it("send a new client the bans in force, then the changes", async () => {
    const book = new Book({ capacity: 100, changes: 100 });
    book.ban(ban("192.0.2.1"));
    const listening = new Listening(book, null);
    expect(await listening.take(3)).toEqual(["- resync", "- ban 192.0.2.1", "e1.1 synced"]);
    book.ban(ban("2001:db8::/32"));
    book.unban(ban("192.0.2.1").prefix, "operator");
    expect(await listening.take(2)).toEqual(["e1.2 ban 2001:db8::/32", "e1.3 lift 192.0.2.1 operator"]);
    await listening.end();
  });

  it("continue after the last event that the client has seen", async () => {
    const book = new Book({ capacity: 100, changes: 100 });
    for (const i of [1, 2, 3]) book.ban(ban(`192.0.2.${i}`));
    const listening = new Listening(book, "e1.2");
    expect(await listening.take(1)).toEqual(["e1.3 ban 192.0.2.3"]);
    await listening.end();
  });

  it.each([
    ["from another process", "e0.2"],
    ["from the future", "e1.99"],
    ["that is not a cursor", "'; drop"],
    ["too far back", "e1.1"],
  ])("start again for a cursor %s", async (_, cursor) => {
    const book = new Book({ capacity: 100, changes: 2 });
    for (const i of [1, 2, 3, 4]) book.ban(ban(`192.0.2.${i}`));
    const listening = new Listening(book, cursor);
    const events = await listening.take(6);
    expect([events[0], events[1], events.at(-1)]).toEqual(["- resync", "- ban 192.0.2.1", "e1.4 synced"]);
    await listening.end();
  });

  it("start again for a client that reads too slowly, and queue nothing", async () => {
    const book = new Book({ capacity: 1000, changes: 10 });
    const listening = new Listening(book, null);
    await listening.take(2);
    for (let i = 0; i < 200; i++) book.ban(ban(`192.0.2.${i}`));
    const events = await listening.take(202);
    expect([events[0], events.length, events.at(-1)]).toEqual(["- resync", 202, "e1.200 synced"]);
    await listening.end();
  });
});
