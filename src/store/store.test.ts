import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import { ManualClock } from "../core/clock.ts";
import { address, type Address, parseAddress, V4_MARK } from "../core/address.ts";
import type { Allowed } from "../core/order-note.ts";
import type { Ban } from "../core/ban.ts";
import { formatPrefix, hostPrefix, parsePrefix, type Prefix } from "../core/prefix.ts";
import { FOREVER, type Instant } from "../core/time.ts";
import type { AllowRecord } from "./allow-record.ts";
import { BanJournal } from "./ban-journal.ts";
import { BansSinceReader } from "./bans-since.ts";
import { readBans } from "./read-bans.ts";
import type { Counter } from "./counter-columns.ts";
import { readProgress, type SavedProgress, saveProgress } from "./progress.ts";
import { setAside } from "./set-aside.ts";

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

async function opened(
  changes = 1000,
  allowed: readonly Allowed[] = [],
): Promise<{ book: Book; journal: BanJournal; warnings: string[] }> {
  const warnings: string[] = [];
  const book = new Book({ capacity: 100_000, changes });
  const warn = (sentence: string): void => void warnings.push(sentence);
  const deps = { book, clock: new ManualClock(NOW), allowed: () => allowed, warn };
  const journal = new BanJournal(directory, deps);
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

  it("knows whether its file holds everything that the last run knew", async () => {
    const read = () => readBans(directory, new Book({ capacity: 10, changes: 10 }), KEPT);
    const { book, journal } = await opened();
    book.ban(ban("192.0.2.1", FOREVER));
    await journal.flush();
    expect(await read()).toEqual({ found: true, isComplete: false, changes: 1, damage: null });
    await journal.close(NOW);
    expect(await read()).toEqual({ found: true, isComplete: true, changes: 1, damage: null });
    // Its beginning is lost, and bans with it.
    const path = join(directory, "bans.jsonl");
    const whole = readFileSync(path, "utf8");
    writeFileSync(path, whole.slice(whole.indexOf("\n") + 1));
    expect(await read()).toMatchObject({ isComplete: false });
    writeFileSync(path, whole.replace("192.0.2.1", "192.0.2.x"));
    expect(await read()).toEqual({ found: true, isComplete: false, changes: 0, damage: "1 line is damaged" });
  });

  it("skips and counts a torn line, as a crash during a write leaves it", async () => {
    const { book, journal } = await opened();
    book.ban(ban("192.0.2.1", FOREVER));
    await journal.flush();
    appendFileSync(join(directory, "bans.jsonl"), '{"ban":"192.0.2.9","targ');
    const again = new Book({ capacity: 10, changes: 10 });
    expect(await readBans(directory, again, KEPT)).toMatchObject({ changes: 1, damage: "1 line is damaged" });
    expect([...again.bans()].map((b) => formatPrefix(b.prefix))).toEqual(["192.0.2.1"]);
  });

  it("survives any bytes in its file", async () => {
    writeFileSync(
      join(directory, "bans.jsonl"),
      Buffer.from('\x00\xff\n[]\n1\nnull\n{"ban":1}\n{"ban":"x","target":"y"}\n', "latin1"),
    );
    expect(await readBans(directory, new Book({ capacity: 10, changes: 10 }), KEPT)).toEqual({
      found: true,
      isComplete: false,
      changes: 0,
      damage: "6 lines are damaged",
    });
  });

  it("reports that there was no journal", async () => {
    expect(await readBans(directory, new Book({ capacity: 10, changes: 10 }), KEPT)).toMatchObject({
      found: false,
      isComplete: false,
    });
  });

  it.each<[string, (path: string) => void, string | RegExp]>([
    ["nothing in it", (path) => writeFileSync(path, ""), "it is empty"],
    ["zeros in it", (path) => writeFileSync(path, Buffer.alloc(100_000)), "1 line is damaged"],
    ["a directory", (path) => mkdirSync(path), "it is a directory"],
    ["a pipe", (path) => spawnSync("mkfifo", [path]), "it is not a regular file"],
    ["a link to a device", (path) => symlinkSync("/dev/zero", path), "it is not a regular file"],
    ["a link to itself", (path) => symlinkSync(path, path), /links form a loop/],
    [
      "a file of terabytes",
      (path) => (writeFileSync(path, ""), truncateSync(path, 2 ** 40)),
      /larger than 8/,
    ],
  ])("says what is wrong with %s, and sets it aside", async (_, make, damage) => {
    const path = join(directory, "bans.jsonl");
    make(path);
    const read = await readBans(directory, new Book({ capacity: 10, changes: 10 }), KEPT);
    expect(read).toMatchObject({ found: true, isComplete: false, changes: 0 });
    expect(read.damage).toEqual(typeof damage === "string" ? damage : expect.stringMatching(damage));
    expect(setAside(path)).toBe("bans.jsonl.damaged-1");
    const { book, journal } = await opened();
    book.ban(ban("192.0.2.1", FOREVER));
    await journal.close(NOW);
    expect(await restored()).toEqual([ban("192.0.2.1", FOREVER)]);
    expect(lstatSync(path).isFile()).toBe(true);
    expect(lstatSync("/dev/zero").isCharacterDevice()).toBe(true);
  });

  it("keeps three damaged copies, the newest as 1 [limit: damagedFiles]", () => {
    const path = join(directory, "bans.jsonl");
    for (let n = 1; n <= 5; n++) {
      writeFileSync(path, String(n));
      setAside(path);
      rmSync(path);
    }
    const text = (name: string): string => readFileSync(join(directory, name), "utf8");
    expect(readdirSync(directory).toSorted()).toEqual([1, 2, 3].map((n) => `bans.jsonl.damaged-${n}`));
    expect([1, 2, 3].map((n) => text(`bans.jsonl.damaged-${n}`))).toEqual(["5", "4", "3"]);
  });

  it("never writes through a link", async () => {
    const victim = join(directory, "victim");
    writeFileSync(victim, "precious", { mode: 0o644 });
    for (const name of ["bans.jsonl", "bans.jsonl.new", "progress.new"])
      symlinkSync(victim, join(directory, name));
    const { book, journal } = await opened();
    book.ban(ban("192.0.2.1", FOREVER));
    await journal.close(NOW);
    await saveProgress(directory, {
      at: NOW,
      positions: {},
      counters: {},
      offences: {},
      forgiven: {},
      trusted: [],
    });
    expect(readFileSync(victim, "utf8")).toBe("precious");
    expect(lstatSync(victim).mode & 0o777).toBe(0o644);
    expect(await restored()).toEqual([ban("192.0.2.1", FOREVER)]);
  });

  it("writes its file again when another program removed or replaced it", async () => {
    const path = join(directory, "bans.jsonl");
    const { book, journal, warnings } = await opened();
    book.ban(ban("192.0.2.1", FOREVER));
    await journal.flush();
    for (const change of [() => rmSync(path), () => writeFileSync(`${path}.x`, "x")]) {
      change();
      if (existsSync(`${path}.x`)) renameSync(`${path}.x`, path);
      journal.check();
      await journal.flush();
      expect(await restored()).toEqual([ban("192.0.2.1", FOREVER)]);
    }
    journal.check();
    expect(warnings).toHaveLength(2);
  });

  it("commits what was there when it was asked, many askers at once", async () => {
    const { book, journal } = await opened();
    const answers: Promise<string | null>[] = [];
    for (let n = 1; n <= 50; n++) {
      book.ban(ban(`192.0.2.${n}`, FOREVER));
      const committed = journal.commit().then(async (fault) => {
        const addresses = (await restored()).map((one) => formatPrefix(one.prefix));
        expect(addresses).toContain(`192.0.2.${n}`);
        return fault;
      });
      answers.push(committed);
      if (n % 10 === 0) await journal.flush();
    }
    expect(new Set(await Promise.all(answers))).toEqual(new Set([null]));
    await journal.close(NOW);
  });

  it("rewrites the file when it falls behind or has grown", async () => {
    const { book, journal } = await opened(100);
    for (let i = 0; i < 300; i++) book.ban(ban(`198.51.100.${i % 250}/32`, NOW + 1000 + i));
    await journal.flush();
    expect(readFileSync(join(directory, "bans.jsonl"), "utf8").split("\n")).toHaveLength(252);
  });

  it("warns when it cannot save, and catches up once it can", async () => {
    rmSync(directory, { recursive: true });
    const { book, journal, warnings } = await opened();
    expect(warnings).toEqual([`Cannot save bans in ${directory}: no such file or directory`]);
    expect(journal.failed).toBe(1);
    expect(await journal.commit()).toBe(warnings[0]);
    expect(journal.trouble).toBe(warnings[0]);
    mkdirSync(directory);
    book.ban(ban("192.0.2.1", FOREVER));
    await journal.flush();
    expect(readFileSync(join(directory, "bans.jsonl"), "utf8")).toContain("192.0.2.1");
    expect(journal.failed).toBe(2);
    expect(journal.trouble).toBeNull();
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
      forgiven: { sshd: [{ address, at: NOW - 5 }], other: [] },
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
    const rest = { at: NOW, positions: {}, offences: {}, forgiven: {}, trusted: [] };
    await saveProgress(directory, { ...rest, counters: { sshd: counters } });
    const { sshd } = await countersIn(await readProgress(directory));
    expect(sshd).toEqual([3, 1, 4, 5, 0, 2].map((i) => counters[i]));
  });

  it("is null without a file", async () => {
    expect(await readProgress(directory)).toBeNull();
  });

  it("restores the readable lines of a damaged file", async () => {
    writeFileSync(
      join(directory, "progress"),
      "{broken\njail sshd\n192.0.2.1 5\nnonsense\n192.0.2.2 x\nforgiven sshd\n192.0.2.1 7\n192.0.2.2\n",
    );
    const address = parseAddress("192.0.2.1");
    const read = await readProgress(directory);
    expect({ ...read, counters: await countersIn(read) }).toEqual({
      at: 0,
      positions: {},
      counters: { sshd: [{ address, ages: [5] }] },
      offences: {},
      forgiven: { sshd: [{ address, at: 7 }] },
      trusted: [],
    });
    expect(read?.hasHead).toBe(false);
  });

  it("has no positions when the file is empty or full of zero bytes, and says so", async () => {
    for (const text of ["", "\0".repeat(400)]) {
      writeFileSync(join(directory, "progress"), text);
      expect((await readProgress(directory))?.hasHead).toBe(false);
    }
  });
});

it("writes orders to allow at once, and again with each rewrite, those taken back before those allowed again", async () => {
  const allow: AllowRecord = {
    kind: "allow",
    prefix: parsePrefix("192.0.2.0/24") as Prefix,
    since: 1,
    until: FOREVER,
    origin: "operator",
  };
  const unallow: AllowRecord = { kind: "unallow", prefix: allow.prefix, at: 2 };
  const { journal } = await opened(1000, [allow]);
  journal.note(unallow);
  journal.note({ kind: "reset", prefix: allow.prefix, at: 3 });
  const seen: unknown[] = [];
  const read = (): Promise<unknown> =>
    readBans(directory, new Book({ capacity: 10, changes: 10 }), {
      ...KEPT,
      see: (kind, { target }, end) => seen.push([kind, target, end]),
      seeAllow: (record) => seen.push(record),
    });
  await read();
  expect(seen).toEqual([allow, unallow, ["unban", "", { by: "operator", at: 3 }]]);
  await journal.open({ ended: [], unallowed: [unallow] });
  seen.length = 0;
  await read();
  expect(seen).toEqual([unallow, allow]);
  expect(await journal.commit()).toBeNull();
  await journal.close(NOW);
});

it("writes what is noted during a rewrite into the new file", async () => {
  const { book, journal } = await opened();
  for (let i = 0; i < 20_000; i++) book.ban(ban(`10.0.${i >> 8}.${i & 255}`, FOREVER));
  const rewriting = journal.open();
  const prefix = parsePrefix("192.0.2.0/24") as Prefix;
  journal.note({ kind: "unallow", prefix, at: 2 });
  await rewriting;
  expect(await journal.commit()).toBeNull();
  const seen: unknown[] = [];
  await readBans(directory, new Book({ capacity: 10, changes: 10 }), {
    ...KEPT,
    seeAllow: (record) => seen.push(record),
  });
  expect(seen).toEqual([{ kind: "unallow", prefix, at: 2 }]);
  await journal.close(NOW);
});

it("keeps bans that ended since the counters were saved when it rewrites the file", async () => {
  const { book, journal } = await opened(100_000);
  const banAndUnban = async (count: number): Promise<void> => {
    const all = Array.from({ length: count }, (_, i) => ban(`10.0.${i >> 8}.${i & 255}`, FOREVER));
    for (const one of all) book.ban(one);
    await journal.flush();
    for (const one of all) book.unban(one.prefix, "operator");
    await journal.flush();
  };
  const read = async (): Promise<{ active: number; ended: number }> => {
    const since = new BansSinceReader(0);
    const again = new Book({ capacity: 100_000, changes: 10 });
    expect((await readBans(directory, again, { ...KEPT, see: since.see })).damage).toBeNull();
    return { active: again.size, ended: since.at(NOW).ended.length };
  };
  await banAndUnban(9000); // 18,000 changes: more than the file may have
  expect(await read()).toEqual({ active: 0, ended: 9000 });
  await banAndUnban(9000);
  expect((await read()).active).toBe(0);
  journal.capture()();
  await banAndUnban(9000);
  expect(await read()).toEqual({ active: 0, ended: 9000 });
  expect(statSync(join(directory, "bans.jsonl")).size).toBeLessThan(700_000);
  await journal.close(NOW);
});
