import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import { address, V4_MARK } from "../core/address.ts";
import type { Ban } from "../core/ban.ts";
import { ManualClock } from "../core/clock.ts";
import { hostPrefix } from "../core/prefix.ts";
import { FOREVER, type Instant } from "../core/time.ts";
import { BanJournal } from "./ban-journal.ts";
import { readBans } from "./read-bans.ts";

const NOW: Instant = Date.UTC(2026, 10, 20);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stoplog-rewrite-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

it("goes on with the old file when it cannot be rewritten, and writes no change twice", async () => {
  const warnings: string[] = [];
  const book = new Book({ capacity: 100_000, changes: 100_000 });
  const warn = (sentence: string): void => void warnings.push(sentence);
  const journal = new BanJournal(directory, { book, clock: new ManualClock(NOW), allowed: () => [], warn });
  await journal.open();
  const inTheWay = join(directory, "bans.jsonl.new");
  mkdirSync(inTheWay);
  const all = Array.from({ length: 9000 }, (_, i) => ban(i));
  const banAndUnban = async (): Promise<void> => {
    for (const one of all) book.ban(one);
    await journal.flush();
    for (const one of all) book.unban(one.prefix, "operator");
    await journal.flush();
  };
  for (let round = 0; round < 3; round++) await banAndUnban();
  expect(await journal.commit()).toBeNull();
  expect(journal.trouble).toBeNull();
  expect(warnings[0]).toMatch(/^Cannot rewrite .*bans\.jsonl: .*; it grows$/);
  const seen = { ban: 0, unban: 0 };
  await readBans(directory, new Book({ capacity: 100_000, changes: 10 }), {
    now: NOW,
    ended: false,
    see: (kind) => seen[kind]++,
  });
  expect(seen).toEqual({ ban: 27_000, unban: 27_000 });
  rmSync(inTheWay, { recursive: true });
  journal.capture()();
  for (let round = 0; round < 2; round++) await banAndUnban();
  expect(statSync(join(directory, "bans.jsonl")).size).toBeLessThan(3_000_000);
  await journal.close(NOW);
});

function ban(n: number): Ban {
  const prefix = hostPrefix(address(0, 0, V4_MARK, 0xc6336400 + n));
  return { prefix, target: "default", jail: "sshd", reason: "", since: NOW, until: FOREVER, origin: "local" };
}
