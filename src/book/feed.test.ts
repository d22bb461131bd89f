import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../core/address.ts";
import type { Ban, BanChange, UnbannedBy } from "../core/ban.ts";
import { hostPrefix, parsePrefix } from "../core/prefix.ts";
import { FOREVER } from "../core/time.ts";
import { Feed } from "./feed.ts";

const banOf = (n: number, rest: Partial<Ban> = {}): Ban => ({
  prefix: hostPrefix(parseAddress(`192.0.2.${n % 256}`)!),
  target: "default",
  jail: "sshd",
  reason: "5 failures in 10m",
  since: n,
  until: n + 1000,
  origin: "local",
  ...rest,
});

describe("Feed", () => {
  it("counts bans and unbans after a cursor, across the end of its ring", () => {
    const feed = new Feed(5);
    const kinds = ["ban", "ban", "lift", "prolong", "lift", "ban", "lift"] as const;
    for (const kind of kinds)
      feed.append(kind === "lift" ? { kind, ban: banOf(1), by: "expiry" } : { kind, ban: banOf(1) });
    expect([2, 4, 7].map((cursor) => feed.count(cursor, feed.last))).toEqual([
      { bans: 2, lifts: 3 },
      { bans: 1, lifts: 2 },
      { bans: 0, lifts: 0 },
    ]);
  });

  it("shows changes in one object, or copies them to a list", () => {
    const feed = new Feed(5);
    feed.append({ kind: "ban", ban: banOf(1) });
    feed.append({
      kind: "lift",
      ban: banOf(2, { prefix: parsePrefix("2001:db8::/64")!, target: "web" }),
      by: "good",
    });
    feed.append({ kind: "prolong", ban: banOf(3, { until: FOREVER }) });
    const listed = feed.since(0);
    const seen: BanChange[] = [];
    const copies: unknown[] = [];
    const walked = feed.walk(0, 2, (change) => {
      seen.push(change);
      copies.push(structuredClone(change));
    });
    expect(walked).toEqual({ kind: "changes", next: 2 });
    expect(new Set(seen).size).toBe(1);
    expect(copies).toMatchObject(listed.kind === "changes" ? listed.changes.slice(0, 2) : []);
    expect(listed).toMatchObject({
      changes: [{ kind: "ban" }, { kind: "lift", by: "good" }, { kind: "prolong" }],
    });
  });

  it("gives each reader every change once and in order, or one resync", () => {
    const step = fc.record({ changes: fc.nat(8), limit: fc.constantFrom(1, 3, 100), reads: fc.boolean() });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10 }),
        fc.array(step, { maxLength: 60, size: "max" }),
        (capacity, steps) => {
          const feed = new Feed(capacity);
          let cursor = 0;
          for (const { changes, limit, reads } of steps) {
            for (let i = 0; i < changes; i++) feed.append({ kind: "ban", ban: banOf(feed.last + 1) });
            if (!reads) continue;
            const behind = feed.last - cursor;
            const catchup = feed.since(cursor, limit);
            if (behind > capacity) {
              expect(catchup).toEqual({ kind: "resync", next: feed.last });
            } else {
              const from = cursor;
              const numbers = Array.from({ length: Math.min(limit, behind) }, (_, i) => from + 1 + i);
              const expected = numbers.map((seq) => ({ seq, kind: "ban", ban: banOf(seq) }));
              expect(catchup).toEqual({ kind: "changes", next: cursor + numbers.length, changes: expected });
            }
            cursor = catchup.next;
          }
        },
      ),
    );
  });

  it("keeps every field of a change", () => {
    const feed = new Feed(10);
    const ban = banOf(7, {
      prefix: { address: parseAddress("2001:db8::")!, length: 32 },
      until: FOREVER,
      jail: "",
      origin: "edge-7",
    });
    const lifts: readonly UnbannedBy[] = ["expiry", "operator", "good", "origin", "full"];
    feed.append({ kind: "ban", ban });
    feed.append({ kind: "prolong", ban: { ...ban, until: 9, reason: "by hand" } });
    for (const by of lifts) feed.append({ kind: "lift", ban, by });
    expect(feed.since(0)).toEqual({
      kind: "changes",
      next: 7,
      changes: [
        { seq: 1, kind: "ban", ban },
        { seq: 2, kind: "prolong", ban: { ...ban, until: 9, reason: "by hand" } },
        ...lifts.map((by, i) => ({ seq: 3 + i, kind: "lift", ban, by })),
      ],
    });
  });

  it("answers a cursor beyond its last change with a resync", () => {
    expect(new Feed(4).since(1)).toEqual({ kind: "resync", next: 0 });
  });

  it("wakes its listeners after each change until they unsubscribe", () => {
    const feed = new Feed(4);
    const woken: number[] = [];
    const stop = feed.onChange(() => woken.push(feed.last));
    feed.append({ kind: "ban", ban: banOf(1) });
    feed.append({ kind: "lift", ban: banOf(1), by: "good" });
    stop();
    feed.append({ kind: "ban", ban: banOf(2) });
    expect(woken).toEqual([1, 2]);
  });
});
