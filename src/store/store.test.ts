import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import { address, type Address, parseAddress, V4_MARK } from "../core/address.ts";
import type { Ban } from "../core/ban.ts";
import { formatPrefix, hostPrefix, parsePrefix, type Prefix } from "../core/prefix.ts";
import { FOREVER, type Instant } from "../core/time.ts";
import { BanJournal, readBans } from "./ban-journal.ts";
import type { Counter } from "./counter-columns.ts";
import { readProgress, type SavedProgress, saveProgress } from "./progress.ts";

const NOW: Instant = Date.UTC(2026, 10, 20);

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stoplog-store-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(text);
  return parsed;
}

function ban(text: string, until: Instant): Ban {
  return {
    prefix: prefix(text),
    target: "default",
    jail: "sshd",
    reason: "5 failures in 10m",
    since: NOW,
    until,
    origin: "local",
  };
}

async function opened(changes = 1000): Promise<{ book: Book; journal: BanJournal; warnings: string[] }> {
  const warnings: string[] = [];
  const book = new Book({ capacity: 100_000, changes });
  const journal = new BanJournal(directory, book, (sentence) => warnings.push(sentence));
  await journal.open();
  return { book, journal, warnings };
}

const KEPT = { now: NOW, ended: false };

async function restored(options = KEPT): Promise<readonly Ban[]> {
  const book = new Book({ capacity: 100, changes: 10 });
  await readBans(directory, book, options);
  expect(book.feed.last).toBe(0);
  return [...book.bans()];
}

describe("BanJournal", () => {
  it("restores the active bans without a clean end", async () => {
    const { book, journal } = await opened();
    book.ban(ban("192.0.2.1", NOW + 1000));
    book.ban(ban("2001:db8::/64", FOREVER));
    book.ban(ban("192.0.2.2", FOREVER));
    await journal.flush();
    book.unban(prefix("192.0.2.2"), "operator");
    await journal.flush();
    expect(await restored()).toEqual([ban("192.0.2.1", NOW + 1000), ban("2001:db8::/64", FOREVER)]);
  });

  it("leaves out bans that expired meanwhile", async () => {
    const { book, journal } = await opened();
    book.ban(ban("192.0.2.1", NOW + 1000));
    await journal.flush();
    expect(await restored({ now: NOW + 1000, ended: false })).toEqual([]);
    expect(await restored({ now: NOW + 1000, ended: true })).toEqual([ban("192.0.2.1", NOW + 1000)]);
  });

  it("skips and counts a torn line, as a crash during a write leaves it", async () => {
    const { book, journal } = await opened();
    book.ban(ban("192.0.2.1", FOREVER));
    await journal.flush();
    appendFileSync(join(directory, "bans.jsonl"), '{"ban":"192.0.2.9","targ');
    const again = new Book({ capacity: 10, changes: 10 });
    expect(await readBans(directory, again, KEPT)).toEqual({ found: true, torn: 1 });
    expect([...again.bans()].map((b) => formatPrefix(b.prefix))).toEqual(["192.0.2.1"]);
  });

  it("survives any bytes in its file", async () => {
    writeFileSync(
      join(directory, "bans.jsonl"),
      Buffer.from('\x00\xff\n[]\n1\nnull\n{"ban":1}\n{"ban":"x","target":"y"}\n', "latin1"),
    );
    expect(await readBans(directory, new Book({ capacity: 10, changes: 10 }), KEPT)).toEqual({
      torn: 6,
      found: true,
    });
  });

  it("reports that there was no journal", async () => {
    expect(await readBans(directory, new Book({ capacity: 10, changes: 10 }), KEPT)).toEqual({
      torn: 0,
      found: false,
    });
  });

  it("rewrites the file when it falls behind or has grown", async () => {
    const { book, journal } = await opened(100);
    for (let i = 0; i < 300; i++) book.ban(ban(`198.51.100.${i % 250}/32`, NOW + 1000 + i));
    await journal.flush();
    expect(readFileSync(join(directory, "bans.jsonl"), "utf8").split("\n")).toHaveLength(251);
  });

  it("warns when it cannot save, and catches up once it can", async () => {
    rmSync(directory, { recursive: true });
    const { book, journal, warnings } = await opened();
    expect(warnings).toEqual([`Cannot save bans in ${directory}: no such file or directory`]);
    expect(journal.failed).toBe(1);
    mkdirSync(directory);
    book.ban(ban("192.0.2.1", FOREVER));
    await journal.flush();
    expect(readFileSync(join(directory, "bans.jsonl"), "utf8")).toContain("192.0.2.1");
    expect(journal.failed).toBe(1);
  });
});

const addressOf = (n: number): Address => address(0, 0, V4_MARK, 0xc0000200 + n);

async function countersIn(read: SavedProgress | null): Promise<Readonly<Record<string, readonly Counter[]>>> {
  const counters: Record<string, Counter[]> = {};
  for (const [name, columns] of Object.entries(read?.counters ?? {})) {
    const list: Counter[] = (counters[name] = []);
    for await (const some of columns.stalestFirst()) list.push(...some);
  }
  return counters;
}

describe("progress", () => {
  it("is restored as it was saved", async () => {
    const address = parseAddress("2001:db8::1");
    if (address === null) throw new Error();
    const progress = {
      at: NOW,
      positions: { auth: { offset: 17 } },
      counters: { sshd: [{ address, ages: [0, 1500] }], other: [] },
      offences: {
        sshd: [
          { address, times: 3, until: NOW },
          { address, times: 1, until: FOREVER },
        ],
      },
      trusted: [{ prefix: hostPrefix(address), until: NOW }],
    };
    await saveProgress(directory, progress);
    const read = await readProgress(directory);
    expect({ ...read, counters: await countersIn(read) }).toEqual(progress);
  });

  it("yields the counters with the oldest last failure first", async () => {
    const counters = [5, 9000, 0, 700_000, 9000, 12].map((age, i) => ({
      address: addressOf(i),
      ages: [age, age + 3],
    }));
    const rest = { at: NOW, positions: {}, offences: {}, trusted: [] };
    await saveProgress(directory, { ...rest, counters: { sshd: counters } });
    const { sshd } = await countersIn(await readProgress(directory));
    expect(sshd).toEqual([3, 1, 4, 5, 0, 2].map((i) => counters[i]));
  });

  it("is null without a file", async () => {
    expect(await readProgress(directory)).toBeNull();
  });

  it("restores the readable lines of a damaged file", async () => {
    writeFileSync(join(directory, "progress"), "{broken\njail sshd\n192.0.2.1 5\nnonsense\n192.0.2.2 x\n");
    const address = parseAddress("192.0.2.1");
    const read = await readProgress(directory);
    expect({ ...read, counters: await countersIn(read) }).toEqual({
      at: 0,
      positions: {},
      counters: { sshd: [{ address, ages: [5] }] },
      offences: {},
      trusted: [],
    });
  });
});
