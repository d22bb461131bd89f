import { afterEach, describe, expect, it, vi } from "vitest";
import { Book } from "../book/book.ts";
import { address, V4_MARK } from "../core/address.ts";
import type { Ban } from "../core/ban.ts";
import { hostPrefix } from "../core/prefix.ts";
import { FOREVER, HOUR, type Instant } from "../core/time.ts";
import { BanLog } from "./ban-log.ts";

const NOW: Instant = Date.UTC(2026, 10, 20);

function ban(n: number, until: Instant): Ban {
  const prefix = hostPrefix(address(0, 0, V4_MARK, 0xc0000200 + n));
  return {
    prefix,
    target: "default",
    jail: "sshd",
    reason: "5 failures in 10m",
    since: NOW,
    until,
    origin: "local",
  };
}

function logged(changes: number): { book: Book; log: BanLog; said: string[] } {
  const said: string[] = [];
  const say = (sentence: string): void => void said.push(sentence);
  const book = new Book({ capacity: 100_000, changes });
  return { book, said, log: new BanLog(book, { info: say, warn: say, error: say, debug: say }) };
}

afterEach(() => void vi.useRealTimers());

describe("BanLog", () => {
  it("says what was banned, for how long and why, and why it was unbanned", () => {
    const { book, log, said } = logged(1000);
    book.ban(ban(1, NOW + HOUR));
    book.ban(ban(2, FOREVER));
    book.expire(NOW + HOUR, 10);
    log.flush();
    expect(said).toEqual([
      "Banned 192.0.2.1 at default for 1h (sshd): 5 failures in 10m",
      "Banned 192.0.2.2 at default permanently (sshd): 5 failures in 10m",
      "Unbanned 192.0.2.1 at default (sshd): expired",
    ]);
  });

  it("sums up a flood", () => {
    const { book, log, said } = logged(1000);
    for (let n = 0; n < 200; n++) book.ban(ban(n, FOREVER));
    log.flush();
    expect(said).toHaveLength(11);
    expect(said[10]).toBe("190 more banned, 0 more unbanned; 200 active bans");
  });

  it("logs at most one sentence a second after the first few, however long the flood lasts", () => {
    vi.useFakeTimers();
    const { book, said } = logged(100_000);
    for (let step = 0; step < 100; step++) {
      for (let n = 0; n < 50; n++) book.ban(ban(step * 50 + n, FOREVER));
      vi.advanceTimersByTime(100);
    }
    vi.advanceTimersByTime(2000);
    expect(said.filter((sentence) => sentence.includes(" more banned, "))).toHaveLength(11);
    expect(said).toHaveLength(11 * 11);
    book.ban(ban(5000, FOREVER));
    vi.advanceTimersByTime(1000);
    expect(said.slice(121)).toEqual([expect.stringMatching(/^Banned /)]);
  });

  it("sums up changes that the feed no longer has", () => {
    const { book, log, said } = logged(100);
    for (let n = 0; n < 200; n++) book.ban(ban(n, FOREVER));
    log.close();
    expect(said).toEqual(["200 changes at once; 200 active bans"]);
  });
});
