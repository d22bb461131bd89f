import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../core/address.ts";
import type { Ban, BanChange } from "../core/ban.ts";
import { formatPrefix, mappedLength, parsePrefix, prefixContains } from "../core/prefix.ts";
import { DAY, FOREVER, HOUR, type Instant, MINUTE } from "../core/time.ts";
import { Book } from "./book.ts";
import type { Cursor } from "./feed.ts";

const START = Date.UTC(2026, 10, 20);

const banOf = (text: string, rest: Partial<Ban> = {}): Ban => ({
  prefix: parsePrefix(text)!,
  target: "default",
  jail: "sshd",
  reason: "5 failures in 10m",
  since: START,
  until: START + HOUR,
  origin: "local",
  ...rest,
});

const bookOf = (capacity = 1000, changes = 1000): Book => new Book({ capacity, changes });

const keyOf = (ban: Ban): string => `${formatPrefix(ban.prefix)} at ${ban.target}`;

const changesOf = (book: Book): string[] => {
  const catchup = book.feed.since(0);
  if (catchup.kind === "resync") return ["resync"];
  return catchup.changes.map(
    (c) => `${c.seq} ${c.kind === "lift" ? `${c.by}: ` : c.kind + " "}${keyOf(c.ban)}`,
  );
};

describe("Book", () => {
  it("restores saved bans, later records over earlier ones, without changes in the feed", () => {
    const book = bookOf(2);
    book.restore(banOf("192.0.2.1", { until: START + DAY }));
    book.restore(banOf("192.0.2.1", { until: START + HOUR, reason: "again" }));
    book.restore(banOf("192.0.2.1", { target: "web" }));
    book.unrestore(banOf("192.0.2.1", { target: "web" }));
    book.unrestore(banOf("192.0.2.9"));
    expect([...book.bans()]).toEqual([banOf("192.0.2.1", { until: START + HOUR, reason: "again" })]);
    book.restore(banOf("192.0.2.2", { until: FOREVER, jail: "nginx" }));
    book.restore(banOf("192.0.2.3", { until: FOREVER }));
    book.restore(banOf("192.0.2.4", { until: FOREVER }));
    expect([...book.bans()].map(keyOf).toSorted()).toEqual(["192.0.2.2 at default", "192.0.2.3 at default"]);
    expect([book.evicted, book.bansOf("nginx"), book.bansOf("sshd"), changesOf(book)]).toEqual([1, 1, 1, []]);
  });

  it("returns an active ban as it was added, until it expires", () => {
    const book = bookOf();
    const ban = banOf("192.0.2.1", { jail: "nginx", reason: "1 failure", origin: "edge-7" });
    expect(book.ban(ban)).toEqual({ kind: "banned" });
    const a = ban.prefix.address;
    expect(book.standing(a, START + HOUR - 1)).toEqual(ban);
    expect(book.standing(a, START + HOUR)).toBeNull();
    expect(book.standing(a, START, "slow")).toBeNull();
    expect([...book.bans()]).toEqual([ban]);
  });

  it("finds the active ban at the target with the longest prefix", () => {
    const book = bookOf();
    book.ban(banOf("10.0.0.0/8", { until: FOREVER }));
    book.ban(banOf("10.9.0.0/16", { until: START + MINUTE }));
    book.ban(banOf("10.9.1.1", { target: "slow" }));
    const at = (now: Instant, target?: string): string | null => {
      const ban = book.standing(parseAddress("10.9.1.1")!, now, target);
      return ban && keyOf(ban);
    };
    expect([at(START), at(START, "default"), at(START + MINUTE, "default"), at(START + HOUR)]).toEqual([
      "10.9.1.1 at slow",
      "10.9.0.0/16 at default",
      "10.0.0.0/8 at default",
      "10.0.0.0/8 at default",
    ]);
  });

  it("prolongs an active ban, keeps the longer one, and expires it at its new end", () => {
    const book = bookOf();
    book.ban(banOf("192.0.2.1"));
    const longer = banOf("192.0.2.1", {
      since: START + MINUTE,
      until: START + DAY,
      reason: "by hand",
      origin: "operator",
    });
    expect(book.ban(longer)).toEqual({ kind: "prolonged" });
    const standing = { ...longer, since: START };
    expect(book.ban(banOf("192.0.2.1", { since: START + MINUTE, until: START + 2 * HOUR }))).toEqual({
      kind: "unchanged",
      standing,
    });
    expect(book.expire(START + DAY - 1, 100)).toBe(0);
    expect(book.of(standing.prefix)).toEqual([standing]);
    expect(book.expire(START + DAY, 100)).toBe(1);
    expect([book.size, changesOf(book)]).toEqual([
      0,
      ["1 ban 192.0.2.1 at default", "2 prolong 192.0.2.1 at default", "3 expiry: 192.0.2.1 at default"],
    ]);
  });

  it("replaces a ban that has ended but has not been removed yet", () => {
    const book = bookOf();
    book.ban(banOf("192.0.2.1"));
    book.ban(banOf("192.0.2.1", { since: START + HOUR, until: START + 2 * HOUR }));
    expect(changesOf(book)).toEqual([
      "1 ban 192.0.2.1 at default",
      "2 expiry: 192.0.2.1 at default",
      "3 ban 192.0.2.1 at default",
    ]);
    expect(book.expire(START + HOUR, 100)).toBe(0);
  });

  it("keeps the bans of a prefix at several targets apart, and removes one or all", () => {
    const targets = ["default", "slow", "web"];
    const fill = (): Book => {
      const book = bookOf();
      for (const target of targets) book.ban(banOf("192.0.2.0/24", { target }));
      return book;
    };
    const prefix = parsePrefix("192.0.2.0/24")!;
    for (const target of targets) {
      const book = fill();
      expect(book.unban(prefix, "good", target).map((ban) => ban.target)).toEqual([target]);
      expect(
        book
          .of(prefix)
          .map((ban) => ban.target)
          .toSorted(),
      ).toEqual(targets.filter((t) => t !== target));
    }
    const book = fill();
    expect(
      book
        .unban(prefix, "operator")
        .map((ban) => ban.target)
        .toSorted(),
    ).toEqual(targets);
    expect([
      book.size,
      book.unban(prefix, "operator"),
      book.unban(parsePrefix("192.0.2.1")!, "operator"),
    ]).toEqual([0, [], []]);
  });

  it("removes the ban that ends first when it is full, and refuses a new one if every ban is permanent [limit: bans]", () => {
    const book = bookOf(2);
    book.ban(banOf("192.0.2.1", { until: START + HOUR }));
    book.ban(banOf("192.0.2.2", { until: START + MINUTE }));
    expect(book.ban(banOf("192.0.2.3", { until: FOREVER })).kind).toBe("banned");
    expect(book.ban(banOf("192.0.2.4", { until: FOREVER })).kind).toBe("banned");
    expect(book.ban(banOf("192.0.2.5"))).toEqual({ kind: "full" });
    expect(book.ban(banOf("192.0.2.4")).kind).toBe("unchanged");
    expect([book.size, book.evicted, changesOf(book).filter((c) => c.includes("full"))]).toEqual([
      2,
      2,
      ["3 full: 192.0.2.2 at default", "5 full: 192.0.2.1 at default"],
    ]);
  });

  it("can be emptied during a walk", () => {
    const book = bookOf();
    for (let i = 0; i < 50; i++) book.ban(banOf(`192.0.2.${i}`, { target: `t${i % 3}` }));
    for (const target of ["a", "b", "c"]) book.ban(banOf("2001:db8::/32", { target }));
    let told = 0;
    for (const ban of book.bans()) {
      told++;
      expect(ban.target).not.toBe("");
      book.unban(ban.prefix, "operator", ban.target);
    }
    expect([told, book.size]).toEqual([53, 0]);
  });

  it("expires a year of bans, a slice at a time, in the order of their ends", () => {
    const book = bookOf(5000, 10_000);
    for (let i = 0; i < 5000; i++) {
      book.ban(banOf(`10.0.${i >> 8}.${i & 255}`, { until: START + ((i * 7919) % 5000) * 100 * MINUTE }));
    }
    const before = book.feed.last;
    const slices: number[] = [];
    while (book.size > 0) slices.push(book.expire(START + 365 * DAY, 999));
    expect(slices).toEqual([999, 999, 999, 999, 999, 5]);
    const catchup = book.feed.since(before);
    const ends = catchup.kind === "changes" ? catchup.changes.map((c) => c.ban.until) : [];
    expect(ends).toEqual(ends.toSorted((x, y) => x - y));
  });

  it("behaves like a plain list, and readers of any speed end with the same bans", () => {
    const prefix = fc.constantFrom(
      "192.0.2.1",
      "192.0.2.2",
      "192.0.2.0/24",
      "0.0.0.0/0",
      "::/0",
      "2001:db8::1",
      "2001:db8::/64",
      "192.0.2.3",
    );
    const target = fc.constantFrom("default", "slow");
    const step = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constant("ban" as const),
          prefix,
          target,
          time: fc.constantFrom(1, MINUTE, HOUR, DAY, FOREVER),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("lift" as const),
          prefix,
          target: fc.option(target, { nil: undefined }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ do: fc.constant("expire" as const), limit: fc.constantFrom(1, 2, 100) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          do: fc.constant("wait" as const),
          time: fc.constantFrom(1, MINUTE, HOUR, 365 * DAY, -HOUR),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("read" as const), reader: fc.nat(2) }) },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(step, { maxLength: 120, size: "max" }),
        (capacity, steps) => {
          const book = bookOf(capacity, 12); // as many changes as one step can make
          const model = new NaiveBook(capacity);
          const readers = [new Reader(1), new Reader(3), new Reader(100)];
          let now = START;
          let cursor: Cursor = 0;
          for (const [i, s] of steps.entries()) {
            if (s.do === "wait") now += s.time;
            else if (s.do === "read") readers[s.reader]?.read(book);
            else if (s.do === "expire") expect(book.expire(now, s.limit)).toBe(model.expire(now, s.limit));
            else if (s.do === "lift") {
              const removed = book.unban(parsePrefix(s.prefix)!, "operator", s.target);
              expect(sorted(removed)).toEqual(sorted(model.lift(s.prefix, s.target)));
            } else {
              // No two end at the same moment: their order would be undefined.
              const ban = banOf(s.prefix, {
                target: s.target,
                since: now,
                until: now + s.time + i / 1000,
                jail: `j${i % 3}`,
                reason: `r${i % 2}`,
              });
              expect(book.ban(ban).kind).toBe(model.ban(ban));
            }
            // A change for each that the model made, and numbers without gaps.
            const news = book.feed.since(cursor);
            expect(news.kind).toBe("changes");
            if (news.kind === "changes")
              expect(news.changes.map((c) => c.seq)).toEqual(news.changes.map((_, n) => cursor + 1 + n));
            cursor = news.next;
            expect([cursor, book.size, book.evicted]).toEqual([
              model.changes,
              model.bans.length,
              model.evicted,
            ]);
            expect(sorted(book.bans())).toEqual(sorted(model.bans));
            for (const text of ["192.0.2.1", "192.0.2.3", "198.51.100.1", "2001:db8::1"]) {
              for (const t of [undefined, "slow"]) {
                expect(book.standing(parseAddress(text)!, now, t) !== null).toBe(
                  model.standing(text, now, t).length > 0,
                );
                const best = model.standing(text, now, t).map((ban) => mappedLength(ban.prefix));
                const found = book.standing(parseAddress(text)!, now, t);
                if (found !== null) expect(mappedLength(found.prefix)).toBe(Math.max(...best));
              }
            }
          }
          for (const reader of readers) {
            while (reader.cursor !== book.feed.last) reader.read(book);
            expect(sorted(reader.bans.values())).toEqual(sorted(book.bans()));
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});

const sorted = (bans: Iterable<Ban>): Ban[] => [...bans].toSorted((x, y) => (keyOf(x) < keyOf(y) ? -1 : 1));

/** Takes a few changes at a time, as the kernel, the store and the page do. */
class Reader {
  readonly bans = new Map<string, Ban>();
  cursor: Cursor = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  read(book: Book): void {
    const catchup = book.feed.since(this.cursor, this.#limit);
    this.cursor = catchup.next;
    if (catchup.kind === "changes") {
      for (const change of catchup.changes) this.#take(change);
      return;
    }
    this.bans.clear();
    for (const ban of book.bans()) this.bans.set(keyOf(ban), ban);
  }

  #take(change: BanChange): void {
    if (change.kind === "lift") this.bans.delete(keyOf(change.ban));
    else this.bans.set(keyOf(change.ban), change.ban);
  }
}

/** The rules of the book, on a list. */
class NaiveBook {
  bans: Ban[] = [];
  changes = 0;
  evicted = 0;
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  ban(ban: Ban): "banned" | "prolonged" | "unchanged" | "full" {
    const there = this.bans.find((other) => keyOf(other) === keyOf(ban));
    if (there !== undefined && there.until > ban.since) {
      if (ban.until <= there.until) return "unchanged";
      this.bans[this.bans.indexOf(there)] = { ...ban, since: there.since };
      this.changes++;
      return "prolonged";
    }
    if (there !== undefined) this.#drop([there]);
    if (this.bans.length === this.#capacity) {
      const first = this.#byEnd()[0];
      if (first === undefined || first.until === FOREVER) return "full";
      this.#drop([first]);
      this.evicted++;
    }
    this.bans.push(ban);
    this.changes++;
    return "banned";
  }

  lift(prefix: string, target: string | undefined): Ban[] {
    return this.#drop(
      this.bans.filter((ban) => formatPrefix(ban.prefix) === prefix && (target ?? ban.target) === ban.target),
    );
  }

  expire(now: Instant, limit: number): number {
    return this.#drop(
      this.#byEnd()
        .filter((ban) => ban.until <= now)
        .slice(0, limit),
    ).length;
  }

  standing(text: string, now: Instant, target: string | undefined): Ban[] {
    const a = parseAddress(text)!;
    return this.bans.filter(
      (ban) => ban.until > now && prefixContains(ban.prefix, a) && (target ?? ban.target) === ban.target,
    );
  }

  #byEnd(): Ban[] {
    return this.bans.toSorted((x, y) => x.until - y.until);
  }

  #drop(dropped: Ban[]): Ban[] {
    this.bans = this.bans.filter((ban) => !dropped.includes(ban));
    this.changes += dropped.length;
    return dropped;
  }
}
