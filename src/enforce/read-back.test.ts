import { describe, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import { formatPrefix, parsePrefix, type Prefix } from "../core/prefix.ts";
import { MINUTE, SECOND } from "../core/time.ts";
import type { Enforced, Enforcement } from "./enforcer.ts";
import { differences } from "./read-back.ts";

const NOW = Date.UTC(2026, 10, 20);

describe("differences", () => {
  it("bans again what is missing, unbans what is not in the book, and leaves the rest alone", async () => {
    const book = bookOf({ "192.0.2.1": MINUTE, "192.0.2.2": MINUTE, "198.51.100.0/24": MINUTE });
    expect(await compare(book, ["192.0.2.1", "192.0.2.9"])).toEqual([
      "unban 192.0.2.9",
      "ban 192.0.2.2",
      "ban 198.51.100.0/24",
    ]);
    expect(await compare(book, ["192.0.2.1", "192.0.2.2", "198.51.100.0/24"])).toEqual([]);
  });

  it("does not ban what has expired, was refused, or belongs to another enforcer's target", async () => {
    const book = bookOf({ "192.0.2.1": -SECOND, "192.0.2.2": MINUTE });
    book.ban(banOf("192.0.2.3", MINUTE, "other"));
    expect(await compare(book, [], ["192.0.2.2"])).toEqual([]);
    expect(await compare(book, ["192.0.2.1"], ["192.0.2.2"])).toEqual(["unban 192.0.2.1"]);
  });
});

async function compare(
  book: Book,
  held: readonly string[],
  refused: readonly string[] = [],
): Promise<readonly string[]> {
  const enforced = held.map((text): Enforced => ({ prefix: prefix(text), target: "default", until: null }));
  const changes = await differences(enforced, {
    book,
    targets: new Set(["default"]),
    now: NOW,
    isRefused: (one) => refused.includes(formatPrefix(one)),
  });
  return changes.map((change: Enforcement) => `${change.kind} ${formatPrefix(change.prefix)}`);
}

function bookOf(bans: Readonly<Record<string, number>>): Book {
  const book = new Book({ capacity: 100, changes: 100 });
  for (const [text, left] of Object.entries(bans)) book.ban(banOf(text, left));
  return book;
}

function banOf(text: string, left: number, target = "default") {
  const since = NOW - MINUTE;
  return { prefix: prefix(text), target, jail: "", reason: "", since, until: NOW + left, origin: "local" };
}

function prefix(text: string): Prefix {
  return parsePrefix(text) as Prefix;
}
