import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Book } from "../book/book.ts";
import { LIMITS } from "../core/limits.ts";
import { hostPrefix } from "../core/prefix.ts";
import { address, V4_MARK } from "../core/address.ts";
import { HOUR, MINUTE, SECOND } from "../core/time.ts";
import { Hook, type HookDeps } from "./hook.ts";
import type { Message } from "./message.ts";
import { ban, COMMON, MACHINE, NOW } from "../../test/support/notify-messages.ts";
import type { CommonOptions } from "./options.ts";
import type { Outcome } from "./outcome.ts";

beforeEach(() => void vi.useFakeTimers({ now: NOW }));
afterEach(() => void vi.useRealTimers());

const SENT: Outcome = { kind: "sent" };
const LATER: Outcome = { kind: "later", fact: "the server answers 500", wait: null };

interface Setting extends Partial<CommonOptions> {
  readonly changes?: number;
  readonly answer?: (message: Message, signal: AbortSignal) => Outcome | Promise<Outcome>;
  readonly judge?: HookDeps["judge"];
}

function started({ changes = 65_536, answer = () => SENT, judge = null, ...options }: Setting = {}) {
  const book = new Book({ capacity: 200_000, changes });
  const told: Message[] = [];
  const said: string[] = [];
  const say = (sentence: string): void => void said.push(sentence);
  const deliver: HookDeps["deliver"] = async (message, signal) => {
    const outcome = await answer(message, signal);
    if (outcome.kind === "sent") told.push(message);
    return outcome;
  };
  const now = () => Date.now();
  const hook = new Hook(
    { ...COMMON, ...options },
    { book, machine: MACHINE, deliver, judge, now, warn: say, info: say },
  );
  const bans = (from: number, count: number): void => {
    for (let n = from; n < from + count; n++)
      book.ban({ ...ban("192.0.2.1"), prefix: hostPrefix(address(0, 0, V4_MARK, n)) });
  };
  const listed = () => told.map(({ events, more, missed }) => [events.length, more.ban, missed]);
  return { book, hook, told, said, bans, listed };
}

describe("a notification", () => {
  it("sends single changes one by one, and only selected ones", async () => {
    const { book, told } = started({
      wanted: { events: ["ban", "lift"], jails: ["sshd"], origins: null, targets: ["default"] },
    });
    book.ban(ban("192.0.2.1"));
    await vi.advanceTimersByTimeAsync(SECOND);
    book.ban(ban("192.0.2.2", { jail: "nginx" }));
    book.ban(ban("192.0.2.3", { target: "slow" }));
    book.ban(ban("192.0.2.1", { since: NOW + SECOND, until: NOW + 2 * HOUR }));
    await vi.advanceTimersByTimeAsync(SECOND);
    book.unban(ban("192.0.2.1").prefix, "operator");
    await vi.advanceTimersByTimeAsync(SECOND);
    expect(told.map(({ events }) => events.map(({ kind, address, by }) => [kind, address, by]))).toEqual([
      [["ban", "192.0.2.1", null]],
      [["lift", "192.0.2.1", "operator"]],
    ]);
  });

  it("sends the first change at once, and those within `every` together", async () => {
    const { bans, listed, hook } = started({ every: MINUTE });
    bans(1, 1);
    await vi.advanceTimersByTimeAsync(SECOND);
    expect(listed()).toEqual([[1, 0, 0]]);
    bans(2, 3);
    await vi.advanceTimersByTimeAsync(30 * SECOND);
    expect([listed().length, hook.waiting]).toEqual([1, 3]);
    bans(5, 1);
    await vi.advanceTimersByTimeAsync(40 * SECOND);
    expect(listed()).toEqual([
      [1, 0, 0],
      [4, 0, 0],
    ]);
  });

  it("[limit: notifyListed] lists the first changes of a flood and counts the rest", async () => {
    const { bans, listed, hook } = started({ every: 10 * SECOND, most: LIMITS.notifyListed.value });
    for (let step = 0; step < 20; step++) {
      bans(step * 500, 500);
      await vi.advanceTimersByTimeAsync(50);
    }
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(listed().length).toBeLessThanOrEqual(2);
    expect(listed().reduce((sum, [events = 0, more = 0]) => sum + events + more, 0)).toBe(10_000);
    expect(Math.max(...listed().map(([events = 0]) => events))).toBe(LIMITS.notifyListed.value);
    expect(hook.stats.summed).toBe(10_000 - 100 * listed().length);
  });

  it("[limit: notifyChanges] counts changes that came too fast to be read", async () => {
    const { bans, listed, hook, book } = started({ changes: 10_000 });
    const most = LIMITS.notifyChanges.value;
    bans(1, most);
    await vi.advanceTimersByTimeAsync(200);
    expect(listed()).toEqual([[10, most - 10, 0]]);
    bans(10_000, most + 1);
    await vi.advanceTimersByTimeAsync(200);
    expect(listed()[1]).toEqual([10, most - 10, 0]);
    await vi.advanceTimersByTimeAsync(200);
    expect(listed()[2]).toEqual([1, 0, 0]);
    bans(30_000, 10_001);
    await vi.advanceTimersByTimeAsync(SECOND);
    expect(listed()[3]).toEqual([0, 0, 10_001]);
    expect(hook.stats).toMatchObject({ missed: 10_001, sent: 4, dropped: 0 });
    expect(book.feed.last).toBe(2 * most + 1 + 10_001);
  });

  it("retries the same message with growing pauses, then sends the changes of the meantime at once", async () => {
    const ids: string[] = [];
    let broken = true;
    const { bans, listed, hook, said } = started({
      answer: ({ id }) => (ids.push(id), broken ? LATER : SENT),
    });
    bans(1, 1);
    await vi.advanceTimersByTimeAsync(200 + 14 * SECOND);
    expect(ids).toHaveLength(4); // at 0, 1, 3 and 7 s
    expect(new Set(ids).size).toBe(1);
    for (let n = 0; n < 60; n++) {
      bans(100 + n * 10, 10);
      await vi.advanceTimersByTimeAsync(5 * SECOND);
    }
    expect([listed(), hook.waiting]).toEqual([[], 601]);
    expect(hook.stats).toMatchObject({ lastTrouble: "the server answers 500", dropped: 0, summed: 590 });
    broken = false;
    await vi.advanceTimersByTimeAsync(5 * MINUTE);
    expect(listed()).toEqual([
      [1, 0, 0],
      [10, 590, 0],
    ]);
    expect(hook.stats.lastTrouble).toBeNull();
    expect(said).toEqual([
      "Cannot notify team: the server answers 500; retrying",
      "Notifications to team work again",
    ]);
  });

  it("waits as long as the server asks for", async () => {
    let tries = 0;
    const { bans, hook } = started({
      answer: () => (++tries === 1 ? { ...LATER, wait: 90 * SECOND } : SENT),
    });
    bans(1, 1);
    await vi.advanceTimersByTimeAsync(89 * SECOND);
    expect([tries, hook.waiting]).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(2 * SECOND);
    expect([tries, hook.waiting]).toEqual([2, 0]);
  });

  it("gives up after an hour, or at once on a refusal; counts that and warns at intervals", async () => {
    const { bans, hook, said } = started({ answer: () => LATER });
    bans(1, 2);
    await vi.advanceTimersByTimeAsync(HOUR + 6 * MINUTE);
    expect(hook.stats).toMatchObject({ failed: 1, dropped: 2, sent: 0 });
    expect(said.length).toBeGreaterThan(2);
    expect(said.length).toBeLessThan(9);
    expect(said.at(-1)).toMatch(/2 changes not sent$|retrying$/);
    const no = started({ answer: () => ({ kind: "refused", fact: "the server answers 404" }) });
    no.bans(1, 1);
    await vi.advanceTimersByTimeAsync(SECOND);
    no.bans(2, 1);
    await vi.advanceTimersByTimeAsync(SECOND);
    expect(no.hook.stats).toMatchObject({ failed: 2, tries: 2, dropped: 2 });
    expect(no.said).toEqual(["Cannot notify team: the server answers 404; 1 change not sent"]);
  });

  it("[limit: notifyWaiting] with `each` keeps a thousand changes, and drops and counts more", async () => {
    const most = LIMITS.notifyWaiting.value;
    const { bans, told, hook } = started({ each: true, every: SECOND });
    bans(1, most + 1);
    await vi.advanceTimersByTimeAsync(200);
    expect(hook.stats).toMatchObject({ dropped: 1, summed: 0, sent: 1 });
    expect(hook.waiting).toBe(most - 1);
    await vi.advanceTimersByTimeAsync(most * SECOND);
    expect(told).toHaveLength(most);
    expect(told.every(({ events, more }) => events.length === 1 && more.ban === 0)).toBe(true);
  });

  it("does not send changes that its judge leaves out", async () => {
    const verdicts = ["told", "left out", "dropped"] as const;
    let n = 0;
    const { bans, listed, hook } = started({ judge: () => verdicts[n++ % 3] ?? "told" });
    bans(1, 6);
    await vi.advanceTimersByTimeAsync(SECOND);
    expect(listed()).toEqual([[2, 0, 0]]);
    expect(hook.stats.dropped).toBe(2);
  });

  it("sends what waits when it closes, within two seconds", async () => {
    const { bans, listed, hook } = started({ every: HOUR });
    bans(1, 1);
    await vi.advanceTimersByTimeAsync(SECOND);
    bans(2, 5);
    await hook.close(2 * SECOND);
    expect(listed()).toEqual([
      [1, 0, 0],
      [5, 0, 0],
    ]);
    const slow = started({
      answer: (_, signal) =>
        new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve({ ...LATER, fact: "it is slow" }));
        }),
    });
    slow.bans(1, 3);
    await vi.advanceTimersByTimeAsync(SECOND);
    slow.bans(10, 4);
    const closed = slow.hook.close(2 * SECOND);
    await vi.advanceTimersByTimeAsync(2 * SECOND);
    await closed;
    expect(slow.hook.stats).toMatchObject({ dropped: 7, failed: 1, sent: 0 });
    expect(slow.said).toEqual([
      "Cannot notify team: it is slow; 3 changes not sent",
      "4 changes could not be sent to team",
    ]);
  });
});
