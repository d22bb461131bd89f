import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unpackedAt } from "../../scripts/debian-packages.mjs";
import { type Address, address, V4_MARK } from "../core/address.ts";
import { DAY, type Instant, MINUTE, SECOND } from "../core/time.ts";
import { ScaledTally } from "./scaled-tally.ts";

const host = (n: number): Address => address(0, 0, V4_MARK, n);
const START = Date.UTC(2026, 10, 20);

/** Failures, in seconds since START: of which host, and how many. */
const failures = (longest: number) =>
  fc.array(
    fc.record({
      host: fc.integer({ min: 0, max: 3 }),
      step: fc.integer({ min: -5, max: longest }),
      count: fc.integer({ min: 1, max: 2 }),
    }),
    { maxLength: 80, size: "max" },
  );

describe("ScaledTally", () => {
  it("agrees with a plain model of fail2ban's counting", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), failures(50), (maxretry, all) => {
        const tally = new ScaledTally({ maxretry, findtime: MINUTE, capacity: 10 });
        const model = new Map<number, { first: number; last: number; number: number }>();
        let at = 0;
        for (const { host: n, step, count } of all) {
          at += step;
          let entry = model.get(n);
          if (entry === undefined || entry.last <= at - 60 || at < entry.last - 60)
            entry = { first: at, last: at, number: 0 };
          if (at > entry.last && entry.first < at - 60) {
            const scaled = (entry.number / (at - entry.first)) * 60;
            const below = Math.trunc(scaled);
            const isOdd = below % 2 === 1;
            entry.number = below + (scaled - below > 0.5 || (scaled - below === 0.5 && isOdd) ? 1 : 0);
            entry.first = at - 60;
          }
          entry.last = Math.max(entry.last, at);
          entry.number += count;
          model.set(n, entry);
          if (entry.number >= maxretry) model.delete(n);
          const expected = Math.min(entry.number, maxretry);
          expect(tally.add(host(n), START + at * SECOND, count)).toBe(expected);
          expect(tally.size).toBe(model.size);
        }
      }),
    );
  });

  const python = unpackedAt("fail2ban");
  const modules = join(python, "usr/lib/python3/dist-packages");
  const isThere = existsSync(modules) && spawnSync("python3", ["--version"]).status === 0;
  it.skipIf(!isThere)(
    `counts what fail2ban's own failure manager counts${isThere ? "" : " (needs python3, and fail2ban in .cache/debian)"}`,
    () => {
      const cases = [
        ...fc.sample(fc.tuple(fc.integer({ min: 2, max: 12 }), failures(50)), { numRuns: 300, seed: 5 }),
        ...fc.sample(fc.tuple(fc.integer({ min: 2, max: 40 }), failures(15)), { numRuns: 300, seed: 6 }),
      ];
      const { stdout, stderr } = spawnSync("python3", ["-c", FAILMANAGER], {
        input: JSON.stringify(cases.map(([maxretry, all]) => [maxretry, all.map((f) => [f.host, f.step])])),
        env: { ...process.env, PYTHONPATH: modules, PYTHONDONTWRITEBYTECODE: "1" },
        maxBuffer: 1 << 26,
      });
      expect(String(stderr)).toBe("");
      const ours = cases.map(([maxretry, all]) => {
        const tally = new ScaledTally({ maxretry, findtime: MINUTE, capacity: 10 });
        let at: Instant = START;
        return all.map(({ host: n, step }) => {
          at += step * SECOND;
          return tally.add(host(n), at, 1);
        });
      });
      expect(JSON.parse(String(stdout))).toEqual(ours);
      expect(ours.flat().length).toBeGreaterThan(10_000);
    },
  );

  it("scales a count that is older than findtime by its rate", () => {
    const tally = new ScaledTally({ maxretry: 5, findtime: 10 * MINUTE, capacity: 10 });
    const counts = [0, 3, 6, 9, 12, 15].map((minute) => tally.add(host(1), START + minute * MINUTE, 1));
    expect(counts).toEqual([1, 2, 3, 4, 4, 4]);
    expect(tally.add(host(1), START + 30 * MINUTE, 1)).toBe(1);
  });

  it("starts a new count when the clock was set back by more than findtime", () => {
    const tally = new ScaledTally({ maxretry: 3, findtime: MINUTE, capacity: 10 });
    tally.add(host(1), START + DAY, 2);
    expect([0, 1, 2].map((t) => tally.add(host(1), START + t, 1))).toEqual([1, 2, 3]);
  });

  it("evicts the address with the oldest last failure when it is full, and counts that [limit: addresses]", () => {
    const tally = new ScaledTally({ maxretry: 3, findtime: MINUTE, capacity: 2 });
    for (const [n, at] of [[1, 0] as const, [2, 1] as const, [1, 2] as const, [3, 3] as const])
      tally.add(host(n), START + at, 1);
    expect([tally.size, tally.forgotten]).toEqual([2, 1]);
    expect([1, 2, 3].map((n) => tally.count(host(n), START + 4))).toEqual([2, 0, 1]);
  });

  it("frees the room of addresses without a failure within findtime, and grows to its capacity", () => {
    const tally = new ScaledTally({ maxretry: 3, findtime: MINUTE, capacity: 1000 });
    for (let n = 0; n < 1000; n++) tally.add(host(n), START + n, 1);
    expect(tally.sweep(START + MINUTE - 1, 1000)).toBe(0);
    expect(tally.sweep(START + MINUTE + 499, 100)).toBe(100);
    expect(tally.sweep(START + MINUTE + 499, 1000)).toBe(400);
    expect([tally.size, tally.forget(host(999)), tally.forget(host(999)), tally.size]).toEqual([
      500,
      true,
      false,
      499,
    ]);
  });

  it("captures what, counted again, gives the same numbers", () => {
    fc.assert(
      fc.property(failures(30), (before) => {
        const [tally, other] = [0, 0].map(
          () => new ScaledTally({ maxretry: 20, findtime: MINUTE, capacity: 10 }),
        ) as [ScaledTally, ScaledTally];
        let at = START;
        for (const { host: n, step, count } of before)
          tally.add(host(n), (at += Math.max(step, 0) * SECOND), count);
        const saved = at;
        for (const { address: a, ages } of tally.capture(saved).counters)
          for (const age of ages.toReversed()) other.add(a, saved - age, 1);
        for (let n = 0; n <= 3; n++) expect(other.count(host(n), at)).toBe(tally.count(host(n), at));
      }),
    );
  });
});

/** One manager per host: before each failure, its clean-up drops what is older than findtime at the time of the failure. */
const FAILMANAGER = `
import json, sys
from fail2ban.server.failmanager import FailManager, FailManagerEmpty
from fail2ban.server.ticket import FailTicket
out = []
for maxretry, failures in json.load(sys.stdin):
    managers = {}
    at, counts = 1795132800, []
    for host, step in failures:
        at += step
        if host not in managers:
            managers[host] = FailManager()
            managers[host].setMaxRetry(maxretry)
            managers[host].setMaxTime(60)
        manager = managers[host]
        manager.cleanup(at)
        counts.append(min(manager.addFailure(FailTicket('192.0.2.%d' % host, at)), maxretry))
        try:
            manager.toBan()
        except FailManagerEmpty:
            pass
    out.append(counts)
print(json.dumps(out))
`;
