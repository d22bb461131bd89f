import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import { address, V4_MARK } from "../core/address.ts";
import type { Ban } from "../core/ban.ts";
import { formatPrefix, hostPrefix, type Prefix } from "../core/prefix.ts";
import { FOREVER, HOUR, type Instant, MINUTE, SECOND } from "../core/time.ts";
import type { Enforced, Enforcement, Enforcer, Refusal } from "./enforcer.ts";
import { refused } from "./last-changes.ts";
import { Reconciler } from "./reconcile.ts";

const START: Instant = Date.UTC(2026, 10, 20);
const TARGET = { name: "default", enforcer: "dry-run" };

/** Holds so many bans, and refuses more as the kernel does. Can refuse unbans too. */
class SmallEnforcer implements Enforcer {
  readonly kind = "small";
  readonly expires = "book";
  readonly held = new Set<string>();
  room: number;
  calls = 0;
  refusesUnbans = false;

  constructor(room: number) {
    this.room = room;
  }

  async open(): Promise<void> {}

  async apply(changes: readonly Enforcement[]): Promise<readonly Refusal[]> {
    this.calls++;
    return changes.flatMap((change) => this.#one(change));
  }

  async replace(bans: Iterable<Enforcement>): Promise<readonly Refusal[]> {
    this.held.clear();
    return [...bans].flatMap((ban) => this.#one(ban));
  }

  async list(): Promise<readonly Enforced[]> {
    return [];
  }

  async close(): Promise<void> {}

  #one(change: Enforcement): readonly Refusal[] {
    const key = formatPrefix(change.prefix);
    if (change.kind === "unban") {
      if (this.refusesUnbans) return [refused(change, "the kernel is busy")];
      this.held.delete(key);
    } else if (this.held.size >= this.room && !this.held.has(key)) {
      return [refused(change, `the set is full with ${this.room} elements`, "full")];
    } else this.held.add(key);
    return [];
  }
}

async function started(room: number) {
  const clock = { now: START };
  const book = new Book({ capacity: 1000, changes: 1000 });
  const enforcer = new SmallEnforcer(room);
  const warnings: string[] = [];
  const reconciler = new Reconciler(enforcer, book, {
    now: () => clock.now,
    sleep: () => Promise.resolve(),
    warn: (sentence) => warnings.push(sentence),
  });
  await reconciler.open([TARGET]);
  await reconciler.resync();
  /** Bans so many addresses, a millisecond apart, each for a little longer than the one before. */
  const ban = async (from: number, to: number, options: Partial<Ban> = {}): Promise<void> => {
    for (let n = from; n <= to; n++) {
      book.ban({ ...banOf(n, ++clock.now), ...options });
      await reconciler.caughtUp();
    }
  };
  const pass = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second++) {
      clock.now += SECOND;
      book.expire(clock.now, 1000);
      await reconciler.caughtUp();
      await reconciler.tick(clock.now);
    }
  };
  const held = (): readonly string[] => [...enforcer.held].toSorted(byNumber);
  const notEnforced = (): readonly string[] =>
    [...book.bans()]
      .filter((one) => reconciler.standing(one)?.enforced === false)
      .map(({ prefix }) => formatPrefix(prefix))
      .toSorted(byNumber);
  return { book, enforcer, reconciler, warnings, clock, ban, pass, held, notEnforced };
}

describe("bans that an enforcer refuses", () => {
  it("gives the places in a full set to the newest bans, and shows the others as not enforced", async () => {
    const { ban, held, notEnforced, reconciler, warnings } = await started(3);
    await ban(1, 5);
    expect(held()).toEqual(addresses(3, 4, 5));
    expect(notEnforced()).toEqual(addresses(1, 2));
    expect(reconciler.stats).toMatchObject({ notEnforced: 2, evicted: 2 });
    expect(reconciler.stats.trouble).toBe("2 bans not enforced: the set is full with 3 elements");
    expect(warnings).toEqual(["Cannot ban 10.0.0.4 at default: the set is full with 3 elements"]);
  });

  it("tries them again when a ban ends", async () => {
    const { book, ban, held, pass, notEnforced, reconciler } = await started(3);
    await ban(1, 5);
    book.unban(prefix(4), "operator");
    await pass(1);
    expect(held()).toEqual(addresses(2, 3, 5));
    expect(notEnforced()).toEqual(addresses(1));
    book.unban(prefix(3), "operator");
    await pass(1);
    expect(notEnforced()).toEqual([]);
    expect(reconciler.stats).toMatchObject({ notEnforced: 0, trouble: null });
    expect(reconciler.stats.lastTrouble).toContain("full");
  });

  it("tries them again when another program made room, all of them within a few seconds", async () => {
    const { ban, enforcer, pass, notEnforced } = await started(3);
    await ban(1, 200);
    await pass(10);
    expect(notEnforced()).toHaveLength(197);
    enforcer.room = 1000;
    // The pause between trials is a minute at most.
    await pass(70);
    expect(notEnforced()).toEqual([]);
    expect(enforcer.held.size).toBe(200);
  });

  it("tries rarely while nothing changes", async () => {
    const { ban, enforcer, pass } = await started(3);
    await ban(1, 200);
    enforcer.calls = 0;
    await pass(600);
    expect(enforcer.calls).toBeLessThan(20);
  });

  it("never takes a permanent ban's place, nor one that began at the same moment", async () => {
    const { ban, book, clock, held, notEnforced, reconciler } = await started(2);
    await ban(1, 1, { until: FOREVER });
    clock.now++;
    for (const n of [2, 3, 4]) book.ban(banOf(n, clock.now));
    await reconciler.caughtUp();
    expect(held()).toEqual(addresses(1, 2));
    expect(notEnforced()).toEqual(addresses(3, 4));
  });

  it("forgets a refused ban that ends, and keeps one for each address", async () => {
    const { ban, book, pass, notEnforced, reconciler } = await started(1);
    await ban(1, 3);
    book.unban(prefix(1), "operator");
    await ban(2, 2, { until: START + 2 * HOUR });
    await pass(1);
    expect(notEnforced()).toEqual(addresses(2));
    expect(reconciler.stats.notEnforced).toBe(1);
  });

  it("writes the whole book again after an unban was refused, until it is not", async () => {
    const { ban, book, enforcer, pass, held, reconciler } = await started(3);
    await ban(1, 2);
    enforcer.refusesUnbans = true;
    book.unban(prefix(1), "operator");
    await reconciler.caughtUp();
    expect(reconciler.stats.trouble).toBe("Cannot unban 10.0.0.1 at default: the kernel is busy");
    enforcer.refusesUnbans = false;
    await pass(10);
    await reconciler.caughtUp();
    expect(held()).toEqual(addresses(2));
    expect(reconciler.stats.trouble).toBeNull();
  });

  it("holds as many bans as there is room for, whatever happens, and knows the others", async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("ban" as const), n: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ do: fc.constant("unban" as const), n: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ do: fc.constant("room" as const), n: fc.integer({ min: 1, max: 8 }) }),
      fc.record({ do: fc.constantFrom("pass" as const, "resync" as const), n: fc.constant(1) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { book, enforcer, reconciler, ban, pass, held, notEnforced } = await started(3);
        for (const { do: what, n } of steps) {
          if (what === "ban") await ban(n, n);
          else if (what === "unban") book.unban(prefix(n), "operator");
          else if (what === "pass") await pass(MINUTE / SECOND);
          else if (what === "room") enforcer.room = Math.max(n, enforcer.held.size);
          else await reconciler.resync();
          await reconciler.caughtUp();
          const all = [...book.bans()].map((one) => formatPrefix(one.prefix));
          expect([...held(), ...notEnforced()].toSorted(byNumber)).toEqual(all.toSorted(byNumber));
        }
        await pass(130);
        expect(enforcer.held.size).toBe(Math.min(enforcer.room, book.size));
      }),
      { numRuns: 60 },
    );
  });
});

function banOf(n: number, since: Instant): Ban {
  return {
    prefix: prefix(n),
    target: "default",
    jail: "sshd",
    reason: "5 failures in 10m",
    since,
    until: START + HOUR + n * SECOND,
    origin: "local",
  };
}

function prefix(n: number): Prefix {
  return hostPrefix(address(0, 0, V4_MARK, (10 << 24) | n));
}

function addresses(...numbers: readonly number[]): readonly string[] {
  return numbers.map((n) => formatPrefix(prefix(n)));
}

function byNumber(a: string, b: string): number {
  return Number(a.split(".").at(-1)) - Number(b.split(".").at(-1));
}
