import { describe, expect, it } from "vitest";
import { address, V4_MARK } from "../../core/address.ts";
import { formatPrefix, hostPrefix, type Prefix } from "../../core/prefix.ts";
import { Waiting } from "./waiting.ts";

describe("Waiting", () => {
  it("holds each prefix once", () => {
    const waiting = new Waiting(3);
    expect([1, 2, 1, 2].map((n) => waiting.add(host(n)))).toEqual([false, false, false, false]);
    expect(waiting.size).toBe(2);
  });

  it("drops the oldest when it is full, again and again", () => {
    const waiting = new Waiting(3);
    const made = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => waiting.add(host(n)));
    expect(made).toEqual([false, false, false, true, true, true, true, true]);
    expect(held(waiting)).toEqual(["10.0.0.6", "10.0.0.7", "10.0.0.8"]);
  });

  it("takes a dropped prefix again", () => {
    const waiting = new Waiting(2);
    for (const n of [1, 2, 3, 1]) waiting.add(host(n));
    expect(held(waiting)).toEqual(["10.0.0.1", "10.0.0.3"]);
  });

  it("is empty after everything was taken, and then has its full capacity", () => {
    const waiting = new Waiting(2);
    for (const n of [1, 2, 3]) waiting.add(host(n));
    expect(waiting.take().size).toBe(2);
    expect(waiting.size).toBe(0);
    expect([4, 5, 6].map((n) => waiting.add(host(n)))).toEqual([false, false, true]);
    expect(held(waiting)).toEqual(["10.0.0.5", "10.0.0.6"]);
  });
});

const host = (n: number): Prefix => hostPrefix(address(0, 0, V4_MARK, 0x0a00_0000 + n));
const held = (waiting: Waiting): string[] => [...waiting.take().prefixes()].map(formatPrefix).toSorted();
