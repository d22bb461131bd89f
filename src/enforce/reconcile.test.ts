import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import { type Ban, KERNEL_REASON } from "../core/ban.ts";
import { formatPrefix, hostPrefix, parsePrefix, type Prefix } from "../core/prefix.ts";
import { address, V4_MARK } from "../core/address.ts";
import { FOREVER, type Instant } from "../core/time.ts";
import type { Enforced, Enforcement, Enforcer, Refusal, PacketTarget, TargetSpec } from "./enforcer.ts";
import { MemoryEnforcer } from "./dry-run/memory.ts";
import { refused } from "./last-changes.ts";
import { Reconciler } from "./reconcile.ts";

const NOW: Instant = Date.UTC(2026, 10, 20);
const TARGET: PacketTarget = {
  name: "default",
  enforcer: "dry-run",
  verdict: { kind: "drop" },
  ports: [],
  protocols: [],
};

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(text);
  return parsed;
}

function ban(text: string, target = "default"): Ban {
  return {
    prefix: prefix(text),
    target,
    jail: "sshd",
    reason: "5 failures in 10m",
    since: NOW,
    until: FOREVER,
    origin: "local",
  };
}

/** Records its calls, and fails on demand. */
class ScriptedEnforcer implements Enforcer {
  readonly kind = "dry-run";
  expires: "kernel" | "book" = "kernel";
  readonly calls: string[] = [];
  failNext: Error | null = null;
  failAlways: Error | null = null;
  failOpen: Error | null = null;
  opening: Promise<void> = Promise.resolve();
  slow: Promise<void> = Promise.resolve();
  refuse: Refusal[] = [];
  lose: (fact: string) => void = () => undefined;

  async open(_targets: readonly TargetSpec[], onLost: (fact: string) => void): Promise<void> {
    await this.opening;
    if (this.failOpen !== null) throw this.failOpen;
    this.calls.push("open");
    this.lose = onLost;
  }

  apply(changes: readonly Enforcement[]): Promise<readonly Refusal[]> {
    return this.#take(`apply ${changes.map((change) => change.kind).join(" ")}`);
  }

  replace(bans: Iterable<Enforcement>): Promise<readonly Refusal[]> {
    return this.#take(`replace ${[...bans].length}`);
  }

  list(): Promise<readonly Enforced[]> {
    return Promise.resolve([]);
  }

  close({ flush }: { readonly flush: boolean }): Promise<void> {
    this.calls.push(flush ? "close and flush" : "close");
    return Promise.resolve();
  }

  async #take(call: string): Promise<readonly Refusal[]> {
    await this.slow;
    if (this.failAlways !== null) throw this.failAlways;
    if (this.failNext !== null) {
      const error = this.failNext;
      this.failNext = null;
      throw error;
    }
    this.calls.push(call);
    return this.refuse;
  }
}

/** Takes some turns of the event loop for each call, and counts how many calls run at the same time. */
class SlowEnforcer implements Enforcer {
  readonly kind = "dry-run";
  readonly expires = "book";
  readonly lookEvery = 1;
  atOnce = 0;
  fails = false;
  gone: string | null = null;
  lose: (fact: string) => void = () => undefined;
  #running = 0;

  async open(_targets: readonly TargetSpec[], onLost: (fact: string) => void): Promise<void> {
    this.lose = onLost;
    this.gone = null;
    await this.#take();
  }

  async apply(): Promise<readonly Refusal[]> {
    return this.#take();
  }

  async replace(): Promise<readonly Refusal[]> {
    return this.#take();
  }

  async list(): Promise<readonly Enforced[]> {
    return this.#take();
  }

  async missing(): Promise<string | null> {
    await this.#take();
    return this.gone;
  }

  async close(): Promise<void> {
    await this.#take();
  }

  async #take(): Promise<never[]> {
    this.atOnce = Math.max(this.atOnce, ++this.#running);
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    this.#running--;
    if (!this.fails) return [];
    this.fails = false;
    throw new Error("it failed");
  }
}

async function started(): Promise<{
  book: Book;
  enforcer: ScriptedEnforcer;
  reconciler: Reconciler;
  warnings: string[];
}> {
  const book = new Book({ capacity: 1_000_000, changes: 100 });
  const enforcer = new ScriptedEnforcer();
  const warnings: string[] = [];
  const sleep = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const reconciler = new Reconciler(enforcer, book, { now: () => NOW, sleep, warn: (s) => warnings.push(s) });
  await reconciler.open([TARGET]);
  await reconciler.resync();
  return { book, enforcer, reconciler, warnings };
}

/** A reconciler whose enforcer always fails, and whose third attempt comes only when it is hurried. */
async function troubled() {
  const book = new Book({ capacity: 1000, changes: 100 });
  const enforcer = new ScriptedEnforcer();
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const sleep = (ms: number): Promise<void> => (ms > 250 ? ended : Promise.resolve());
  const reconciler = new Reconciler(enforcer, book, { now: () => NOW, sleep, warn: () => undefined });
  await reconciler.open([TARGET]);
  await reconciler.resync();
  enforcer.failAlways = new Error("it is gone");
  return { book, enforcer, reconciler, end };
}

describe("Reconciler", () => {
  it(
    "keeps up with more changes in each turn of the event loop than one call takes",
    { retry: 3 },
    async () => {
      const book = new Book({ capacity: 200_000, changes: 40_000 });
      const reconciler = new Reconciler(new MemoryEnforcer(), book, {
        now: () => NOW,
        sleep: () => Promise.resolve(),
        warn: () => undefined,
      });
      await reconciler.open([TARGET]);
      await reconciler.resync();
      for (let n = 0; n < 150_000; n++) {
        book.ban({ ...ban("192.0.2.1"), prefix: hostPrefix(address(0, 0, V4_MARK, n)) });
        if (n % 1500 === 1499) await new Promise(setImmediate);
      }
      await reconciler.caughtUp();
      expect(reconciler.stats).toMatchObject({ applied: 150_000, resyncs: 1 });
    },
  );

  it("applies all changes of one turn in one call", async () => {
    const { book, enforcer, reconciler } = await started();
    book.ban(ban("192.0.2.1"));
    book.ban(ban("192.0.2.2"));
    book.unban(prefix("192.0.2.1"), "operator");
    await reconciler.caughtUp();
    expect(enforcer.calls).toEqual(["open", "replace 0", "apply ban ban unban"]);
    expect(reconciler.stats.applied).toBe(3);
  });

  it("unbans expired bans where the kernel does not", async () => {
    const { book, enforcer, reconciler } = await started();
    enforcer.expires = "book";
    book.ban({ ...ban("192.0.2.2"), until: NOW + 1000 });
    await reconciler.caughtUp();
    book.expire(NOW + 2000, 10);
    await reconciler.caughtUp();
    expect(enforcer.calls.slice(2)).toEqual(["apply ban", "apply unban"]);
  });

  it("reports each new ban when it took effect, also after it fell behind, but not an earlier run's", async () => {
    const book = new Book({ capacity: 1000, changes: 10 });
    book.ban({ ...ban("192.0.2.1"), since: NOW - 1000 });
    const held: string[] = [];
    const reconciler = new Reconciler(new ScriptedEnforcer(), book, {
      now: () => NOW,
      sleep: () => Promise.resolve(),
      warn: () => undefined,
      onBanned: (one) => held.push(formatPrefix(one)),
    });
    await reconciler.open([TARGET]);
    await reconciler.resync();
    book.ban(ban("192.0.2.2"));
    book.ban(ban("192.0.2.3", "elsewhere"));
    await reconciler.caughtUp();
    expect(held.splice(0)).toEqual(["192.0.2.2"]);
    for (let i = 10; i < 30; i++) book.ban(ban(`192.0.2.${i}`));
    await reconciler.caughtUp();
    expect(held.filter((one) => one !== "192.0.2.2")).toHaveLength(20);
    expect(held).not.toContain("192.0.2.1");
  });

  it("ignores other targets, and leaves expiry to the kernel", async () => {
    const { book, enforcer, reconciler } = await started();
    book.ban(ban("192.0.2.1", "slow"));
    book.ban({ ...ban("192.0.2.2"), until: NOW + 1000 });
    book.expire(NOW + 2000, 10);
    await reconciler.caughtUp();
    expect(enforcer.calls.slice(2)).toEqual(["apply ban"]);
  });

  it("writes the whole book when it fell behind the feed [limit: feedChanges]", async () => {
    const { book, enforcer, reconciler } = await started();
    for (let i = 0; i < 500; i++)
      book.ban({ ...ban("192.0.2.1"), prefix: hostPrefix(address(0, 0, V4_MARK, i)) });
    await reconciler.caughtUp();
    expect(enforcer.calls.slice(2)).toEqual(["replace 500"]);
  });

  it("measures how long new bans took to hold; not batches with a refusal, nor bans that held in the kernel before", async () => {
    let now = NOW;
    const book = new Book({ capacity: 100, changes: 100 });
    const enforcer = new ScriptedEnforcer();
    const sleep = (): Promise<void> => Promise.resolve();
    const reconciler = new Reconciler(enforcer, book, { now: () => now, sleep, warn: () => undefined });
    await reconciler.open([TARGET]);
    await reconciler.resync();
    const { banDelay } = reconciler.stats;

    now = NOW + 30;
    book.ban(ban("192.0.2.1"));
    book.ban(ban("192.0.2.2"));
    book.ban({ ...ban("192.0.2.3"), since: NOW - 1000, reason: KERNEL_REASON });
    book.unban(prefix("192.0.2.2"), "operator");
    await reconciler.caughtUp();
    expect([banDelay.counts[banDelay.bounds.indexOf(0.05)], banDelay.sum]).toEqual([2, 0.06]);

    enforcer.refuse = [refused(ban("192.0.2.4"), "no")];
    book.ban(ban("192.0.2.4"));
    await reconciler.caughtUp();
    expect(banDelay.sum).toBe(0.06);
    await reconciler.close({ flush: false });
  });

  it("counts and reports refused changes", async () => {
    const { book, enforcer, reconciler, warnings } = await started();
    enforcer.refuse = [refused(ban("192.0.2.1"), "the set is full")];
    book.ban(ban("192.0.2.1"));
    await reconciler.caughtUp();
    expect(reconciler.stats.refused).toBe(1);
    expect(warnings).toEqual(["Cannot ban 192.0.2.1 at default: the set is full"]);
  });

  it("opens again and writes the whole book after trouble", async () => {
    const { book, enforcer, reconciler } = await started();
    enforcer.failNext = new Error("the socket is gone");
    book.ban(ban("192.0.2.1"));
    await reconciler.caughtUp();
    expect(enforcer.calls.slice(2)).toEqual(["open", "replace 1"]);
    expect(reconciler.stats).toMatchObject({ state: "ready", lastTrouble: "the socket is gone" });
  });

  it("resolves waiting calls when trouble lasts, and opens for other targets meanwhile", async () => {
    const { book, enforcer, reconciler, end } = await troubled();
    book.ban(ban("192.0.2.1"));
    await reconciler.caughtUp();
    expect(reconciler.stats.state).toBe("in trouble");
    await reconciler.caughtUp();
    await reconciler.resync();
    await reconciler.open([{ ...TARGET, name: "slow" }]);
    enforcer.failAlways = null;
    await reconciler.resync();
    expect(reconciler.stats.state).toBe("ready");
    expect(enforcer.calls.at(-1)).toBe("replace 0");
    enforcer.failAlways = new Error("it is gone again");
    book.ban(ban("192.0.2.2", "slow"));
    await reconciler.caughtUp();
    await reconciler.close({ flush: true });
    expect(enforcer.calls.at(-1)).toBe("close and flush");
    end();
  });

  it("does not open its enforcer while bans are written", async () => {
    const { book, enforcer, reconciler } = await started();
    book.ban(ban("192.0.2.1"));
    const caughtUp = reconciler.caughtUp();
    enforcer.slow = new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    await reconciler.open([TARGET]);
    await caughtUp;
    expect(enforcer.calls.slice(2)).toEqual(["apply ban", "open"]);
  });

  it("never makes two calls of its enforcer at the same time", async () => {
    const step = fc.constantFrom("ban", "open", "resync", "list", "look", "fail", "lose", "wait");
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
        const book = new Book({ capacity: 1000, changes: 10 });
        const enforcer = new SlowEnforcer();
        const sleep = (): Promise<void> => Promise.resolve();
        const deps = { now: () => NOW, sleep, warn: () => undefined };
        const reconciler = new Reconciler(enforcer, book, deps);
        const calls: Promise<unknown>[] = [reconciler.open([TARGET]), reconciler.resync()];
        for (const [i, one] of steps.entries()) {
          if (one === "ban") book.ban(ban(`192.0.2.${i}`));
          else if (one === "open") calls.push(reconciler.open([TARGET]));
          else if (one === "resync") calls.push(reconciler.resync());
          else if (one === "list") calls.push(reconciler.list());
          else if (one === "fail") enforcer.fails = true;
          else if (one === "lose") enforcer.lose("another program deleted it");
          else await new Promise((resolve) => setTimeout(resolve, one === "look" ? 2 : 0));
        }
        calls.push(reconciler.caughtUp());
        await Promise.allSettled(calls);
        enforcer.fails = false;
        await reconciler.close({ flush: true });
        expect(enforcer.atOnce).toBe(1);
      }),
      { numRuns: 50 },
    );
  });

  it("looks for what its enforcer created, and restores it", async () => {
    const book = new Book({ capacity: 1000, changes: 10 });
    const enforcer = new SlowEnforcer();
    const warnings: string[] = [];
    const sleep = (): Promise<void> => Promise.resolve();
    const deps = { now: () => NOW, sleep, warn: (s: string) => warnings.push(s) };
    const reconciler = new Reconciler(enforcer, book, deps);
    await reconciler.open([TARGET]);
    await reconciler.resync();
    enforcer.gone = "the chain is gone";
    await expect.poll(() => reconciler.stats.resyncs).toBe(2);
    await reconciler.close({ flush: false });
    expect(warnings).toEqual(["the chain is gone; writing all bans again"]);
  });

  it.each([
    ["by its count", 1],
    ["by its list, where it cannot count", null],
  ])("corrects single bans that others removed or added, seen %s", async (_, counts) => {
    const enforcer = new (class extends MemoryEnforcer {
      readonly lookEvery = 1;
      readonly compareEvery = counts === null ? 0 : Number.POSITIVE_INFINITY;
      count = async (): Promise<number> => (counts === null ? 0 : (await this.list()).length);
    })(() => NOW);
    const book = new Book({ capacity: 1000, changes: 10 });
    const warnings: string[] = [];
    const deps = { now: () => NOW, sleep: () => Promise.resolve(), warn: (s: string) => warnings.push(s) };
    const reconciler = new Reconciler(enforcer, book, deps);
    await reconciler.open([TARGET]);
    for (const text of ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) book.ban(ban(text));
    await reconciler.resync();
    const gone = ["192.0.2.1", "192.0.2.2"].map((text) => prefix(text));
    await enforcer.apply(
      [
        ...gone.map((one): Enforcement => ({ kind: "unban", prefix: one, target: "default" })),
        { kind: "ban", prefix: prefix("192.0.2.9"), target: "default", until: FOREVER },
      ],
      NOW,
    );
    await expect.poll(() => reconciler.stats.repaired).toBe(3);
    expect(new Set((await enforcer.list()).map((one) => formatPrefix(one.prefix)))).toEqual(
      new Set(["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
    );
    await reconciler.close({ flush: false });
    expect(warnings).toEqual(["Another program removed 2 bans and added 1 to those of dry-run: corrected"]);
  });

  it("writes nothing before it was opened", async () => {
    const book = new Book({ capacity: 1000, changes: 10 });
    const enforcer = new ScriptedEnforcer();
    const warnings: string[] = [];
    enforcer.opening = new Promise((resolve) => setTimeout(resolve, 20));
    const deps = { now: () => NOW, sleep: () => Promise.resolve(), warn: (s: string) => warnings.push(s) };
    const reconciler = new Reconciler(enforcer, book, deps);
    const opened = reconciler.open([TARGET]);
    book.ban(ban("192.0.2.1"));
    await opened;
    await reconciler.caughtUp();
    expect(enforcer.calls).toEqual(["open", "replace 1"]);
    expect(warnings).toEqual([]);
  });

  it("keeps its targets when it cannot be opened for others", async () => {
    const { book, enforcer, reconciler } = await started();
    enforcer.failOpen = new Error("there is no such chain");
    await expect(reconciler.open([{ ...TARGET, name: "slow" }])).rejects.toThrow("no such chain");
    book.ban(ban("192.0.2.1"));
    await reconciler.caughtUp();
    expect(enforcer.calls.at(-1)).toBe("apply ban");
  });

  it("restores what another program removed, and reports it", async () => {
    const { book, enforcer, reconciler, warnings } = await started();
    book.ban(ban("192.0.2.1"));
    await reconciler.caughtUp();
    enforcer.lose("another program deleted the table inet stoplog");
    await reconciler.caughtUp();
    expect(enforcer.calls.slice(3)).toEqual(["open", "replace 1"]);
    expect(warnings).toEqual(["another program deleted the table inet stoplog; writing all bans again"]);
  });
});
