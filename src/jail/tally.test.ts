import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Address, address, V4_MARK } from "../core/address.ts";
import { DAY, type Duration, type Instant, MINUTE } from "../core/time.ts";
import { Tally } from "./tally.ts";

const host = (n: number): Address => address(0, 0, V4_MARK, n);
const START = Date.UTC(2026, 10, 20);

/** Reference implementation: counts all failures since the last ban again each time. */
class NaiveTally {
  readonly #times = new Map<number, Instant[]>();
  readonly #maxretry: number;
  readonly #findtime: Duration;

  constructor(maxretry: number, findtime: Duration) {
    this.#maxretry = maxretry;
    this.#findtime = findtime;
  }

  add(n: number, at: Instant, count: number): number {
    const times = this.#times.get(n) ?? [];
    const newest = Math.max(at, ...times);
    const inWindow = (t: Instant): boolean => t >= newest - this.#findtime;
    const added = Array<Instant>(count).fill(at);
    const all = inWindow(at) ? [...times, ...added].filter(inWindow) : added; // otherwise the clock was set back
    if (all.length >= this.#maxretry) this.#times.delete(n);
    else this.#times.set(n, all);
    return Math.min(all.length, this.#maxretry);
  }
}

describe("Tally", () => {
  it.each([
    { most: 7, length: 60, hosts: 3, step: 60_000 },
    { most: 90, length: 200, hosts: 1, step: 900 },
  ])(
    "agrees with a naive sliding window, in any order of times, with a maxretry up to $most",
    ({ most, length, hosts, step: longest }) => {
      const failure = fc.record({
        host: fc.integer({ min: 0, max: hosts }),
        step: fc.integer({ min: -longest * (2 / 3), max: longest }),
        count: fc.integer({ min: 1, max: 3 }),
      });
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: most }),
          fc.array(failure, { maxLength: length, size: "max" }),
          fc.integer(),
          (maxretry, failures, offset) => {
            const tally = new Tally({ maxretry, findtime: MINUTE, capacity: 10 });
            const naive = new NaiveTally(maxretry, MINUTE);
            let at = START + offset; // includes the wrap of 32-bit milliseconds
            for (const { host: n, step, count } of failures) {
              at += step;
              expect(tally.add(host(n), at, count)).toBe(naive.add(n, at, count));
            }
          },
        ),
      );
    },
  );

  it("reaches maxretry within findtime and then starts a new count", () => {
    const tally = new Tally({ maxretry: 3, findtime: MINUTE, capacity: 10 });
    expect([0, 30_000, 60_000].map((t) => tally.add(host(1), START + t, 1))).toEqual([1, 2, 3]);
    expect(tally.size).toBe(0);
    expect(tally.add(host(1), START + 60_001, 1)).toBe(1);
  });

  it("starts a new count when the clock was set back by more than findtime", () => {
    const tally = new Tally({ maxretry: 3, findtime: MINUTE, capacity: 10 });
    tally.add(host(1), START + 20 * DAY, 2);
    expect([0, 1, 2].map((t) => tally.add(host(1), START + t, 1))).toEqual([1, 2, 3]);
  });

  it("keeps windows of months in seconds", () => {
    const tally = new Tally({ maxretry: 2, findtime: 60 * DAY, capacity: 10 });
    tally.add(host(1), START, 1);
    expect(tally.add(host(1), START + 59 * DAY, 1)).toBe(2);
    tally.add(host(2), START, 1);
    expect(tally.add(host(2), START + 61 * DAY, 1)).toBe(1);
  });

  it("evicts the address with the oldest last failure when it is full, and counts that [limit: addresses]", () => {
    const tally = new Tally({ maxretry: 3, findtime: MINUTE, capacity: 2 });
    tally.add(host(1), START, 1);
    tally.add(host(2), START + 1, 1);
    tally.add(host(1), START + 2, 1);
    tally.add(host(3), START + 3, 1);
    expect([tally.size, tally.forgotten]).toEqual([2, 1]);
    expect([1, 2, 3].map((n) => tally.count(host(n), START + 4))).toEqual([2, 0, 1]);
  });

  it("frees the room of addresses without a failure within findtime", () => {
    const tally = new Tally({ maxretry: 3, findtime: MINUTE, capacity: 1000 });
    for (let n = 0; n < 1000; n++) tally.add(host(n), START + n, 1);
    expect(tally.sweep(START + MINUTE, 1000)).toBe(0);
    expect(tally.sweep(START + MINUTE + 500, 100)).toBe(100);
    expect(tally.sweep(START + MINUTE + 500, 1000)).toBe(400);
    expect(tally.size).toBe(500);
  });

  it("lists what it has counted, without what it forgot", () => {
    const tally = new Tally({ maxretry: 3, findtime: MINUTE, capacity: 10 });
    tally.add(host(1), START, 1);
    tally.add(host(2), START + 10, 2);
    tally.add(host(3), START + 15, 1);
    tally.forget(host(3));
    const told = [...tally.capture(START + 20).counters].map(({ address: a, ages }) => [a.w3, ages]);
    expect(told).toEqual([
      [1, [20]],
      [2, [10, 10]],
    ]);
  });

  it("captures its counts of one moment, whatever is counted while they are read", () => {
    const failure = fc.record({
      host: fc.integer({ min: 0, max: 1500 }),
      count: fc.integer({ min: 1, max: 3 }),
      act: fc.constantFrom("add", "add", "add", "forget", "read"),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 5 }),
        fc.array(failure, { maxLength: 400, size: "max" }),
        fc.array(failure, { maxLength: 400, size: "max" }),
        (maxretry, before, during) => {
          const [tally, twin] = [0, 0].map(() => new Tally({ maxretry, findtime: MINUTE, capacity: 1200 }));
          const all = (one: Tally | undefined) => one?.capture(START + 1000) ?? { counters: [] };
          // Several pages, and slots that were freed and are used again.
          for (let n = 0; n < 1300; n++)
            for (const one of [tally, twin]) one?.add(host(2000 + n), START - 5, 1);
          for (const [i, { host: n, count, act }] of before.entries())
            for (const one of [tally, twin]) {
              if (act === "forget") one?.forget(host(n));
              else one?.add(host(n), START + i, count);
            }
          const expected = [...all(twin).counters];
          const reading = all(tally).counters[Symbol.iterator]();
          const read: unknown[] = [];
          for (const [i, { host: n, count, act }] of during.entries()) {
            if (act === "add") tally?.add(host(n), START + 500 + i, count);
            else if (act === "forget") tally?.forget(host(n));
            else for (let k = 0; k < 40; k++) read.push(reading.next().value);
          }
          for (let next = reading.next(); next.done !== true; next = reading.next()) read.push(next.value);
          expect(read.filter((counter) => counter !== undefined)).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    );
  });
});
