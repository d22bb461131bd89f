import { afterEach, describe, expect, it, vi } from "vitest";
import { address, V4_MARK } from "../core/address.ts";
import { hostPrefix } from "../core/prefix.ts";
import type { Unnumbered } from "./feed.ts";
import { Feed } from "./feed.ts";
import { FeedReader, type FeedConsumer } from "./feed-reader.ts";
import type { BanChange } from "../core/ban.ts";

function change(n: number): Unnumbered<BanChange> {
  const prefix = hostPrefix(address(0, 0, V4_MARK, n));
  return {
    kind: "ban",
    ban: { prefix, target: "default", jail: "sshd", reason: "", since: 0, until: 1, origin: "local" },
  };
}

/** A reader of a feed that remembers `capacity` changes, and the calls that it made. */
function bench(options: Partial<FeedConsumer> = {}, capacity = 100) {
  const feed = new Feed(capacity);
  const calls: string[] = [];
  const reader = new FeedReader(feed, {
    changes: (changes) => {
      calls.push(
        changes
          .copies()
          .map(({ seq }) => seq)
          .join(" "),
      );
    },
    resync: (missed) => void calls.push(`resync ${missed}`),
    ...options,
  });
  const append = (count: number): void => {
    for (let n = 0; n < count; n++) feed.append(change(n));
  };
  return { feed, reader, calls, append };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

afterEach(() => void vi.useRealTimers());

describe("FeedReader", () => {
  it("takes the changes of one turn in one call", async () => {
    const { reader, calls, append } = bench();
    reader.listen();
    append(3);
    expect(calls).toEqual([]);
    await turn();
    append(1);
    append(1);
    await turn();
    expect(calls).toEqual(["1 2 3", "4 5"]);
  });

  it("waits `delay` after the first change, and not again for each that follows", async () => {
    vi.useFakeTimers();
    const { reader, calls, append } = bench({ delay: () => 200 });
    reader.listen();
    append(1);
    await vi.advanceTimersByTimeAsync(150);
    append(1);
    await vi.advanceTimersByTimeAsync(49);
    expect(calls).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(calls).toEqual(["1 2"]);
  });

  it("takes `atOnce` changes in a call, and everything in one reading", async () => {
    const { reader, calls, append } = bench({ atOnce: 2 });
    append(5);
    await reader.read();
    expect(calls).toEqual(["1 2", "3 4", "5"]);
  });

  it("makes one call per delay with `oncePerDelay`, and all of them when it is read", async () => {
    vi.useFakeTimers();
    const { reader, calls, append } = bench({ atOnce: 2, delay: () => 200, oncePerDelay: true });
    reader.listen();
    append(7);
    await vi.advanceTimersByTimeAsync(200);
    expect(calls).toEqual(["1 2"]);
    await vi.advanceTimersByTimeAsync(200);
    expect(calls).toEqual(["1 2", "3 4"]);
    await reader.read();
    expect(calls).toEqual(["1 2", "3 4", "5 6", "7"]);
  });

  it("makes exactly one resync when it fell behind, and continues with the changes after it", async () => {
    const { reader, calls, append } = bench({}, 10);
    reader.listen();
    append(25);
    await turn();
    append(2);
    await turn();
    expect(calls).toEqual(["resync 25", "26 27"]);
  });

  it("offers what changed during a resync as changes", async () => {
    const calls: string[] = [];
    const { reader, append } = bench({
      resync: async () => {
        calls.push("resync");
        append(2);
        await turn();
      },
      changes: (changes) => void calls.push(`${changes.size}`),
    });
    reader.invalidate();
    await reader.read();
    expect(calls).toEqual(["resync", "2"]);
  });

  it("makes another resync when it is invalidated during one", async () => {
    let left = 2;
    const { reader } = bench({
      resync: () => {
        if (--left > 0) reader.invalidate();
      },
    });
    reader.invalidate();
    await reader.read();
    expect([left, reader.isBehind]).toEqual([0, false]);
  });

  it("has read when `read` returns, if the consumer is synchronous", () => {
    const { reader, calls, append } = bench();
    append(2);
    void reader.read();
    expect(calls).toEqual(["1 2"]);
  });

  it("never overlaps the calls of an asynchronous consumer, and answers every caller when it is done", async () => {
    let running = 0;
    const sizes: number[] = [];
    const { reader, append } = bench({
      atOnce: 3,
      changes: async (changes) => {
        expect(++running).toBe(1);
        sizes.push(changes.size);
        await turn();
        running--;
      },
    });
    reader.listen();
    append(4);
    const first = reader.read();
    append(1);
    await Promise.all([first, reader.read()]);
    expect([sizes, reader.isBehind]).toEqual([[3, 2], false]);
  });

  it("offers rejected changes again once the promise of `failed` resolves", async () => {
    const facts: unknown[] = [];
    let left = 2;
    const taken: number[] = [];
    const { reader, append } = bench({
      changes: async (changes) => {
        await turn();
        if (left-- > 0) throw new Error(`left ${left}`);
        taken.push(changes.size);
      },
      failed: (thrown) => {
        facts.push((thrown as Error).message);
        return turn();
      },
    });
    append(3);
    await reader.read();
    expect([facts, taken]).toEqual([["left 1", "left 0"], [3]]);
  });

  it("waits for the next reading when `failed` returns nothing", async () => {
    let fails = true;
    const { reader, calls, append } = bench({
      changes: (changes) => {
        if (fails) throw new Error("disk full");
        calls.push(`${changes.size}`);
      },
      failed: (thrown) => void calls.push((thrown as Error).message),
    });
    reader.listen();
    append(2);
    await turn();
    await turn();
    expect(calls).toEqual(["disk full"]);
    fails = false;
    append(1);
    await turn();
    expect(calls).toEqual(["disk full", "3"]);
  });

  it("rejects `read` without `failed`, and keeps its place", async () => {
    const { reader, append } = bench({ changes: () => Promise.reject(new Error("no")) });
    append(1);
    await expect(reader.read()).rejects.toThrow("no");
    expect(reader.cursor).toBe(0);
  });

  it("stops at close: no call begins any more, and the one that runs ends first", async () => {
    let ended = 0;
    const { reader, append } = bench({
      atOnce: 1,
      changes: async () => {
        await turn();
        ended++;
      },
    });
    reader.listen();
    append(3);
    void reader.read();
    await reader.close();
    expect(ended).toBe(1);
    append(1);
    await reader.read();
    await turn();
    expect(ended).toBe(1);
  });

  it("refuses changes that were overwritten while the consumer waited", async () => {
    const { reader, append } = bench(
      {
        changes: async (changes) => {
          append(20);
          await turn();
          changes.walk(() => undefined);
        },
      },
      10,
    );
    append(1);
    await expect(reader.read()).rejects.toThrow("newer ones have overwritten them");
  });

  it("resolves with a change, with the end of the patience, and with an abort", async () => {
    vi.useFakeTimers();
    const { reader, append } = bench();
    const abort = new AbortController();
    const waits = [reader.waitForChange(100, abort.signal)];
    append(1);
    waits.push(reader.waitForChange(100, abort.signal));
    await reader.read();
    waits.push(reader.waitForChange(100, abort.signal));
    await vi.advanceTimersByTimeAsync(100);
    waits.push(reader.waitForChange(100, abort.signal));
    abort.abort();
    expect(await Promise.all(waits)).toEqual([true, true, false, false]);
  });
});
