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

  it("lets the one go that waits longest when it is full, round and round", () => {
    const waiting = new Waiting(3);
    const made = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => waiting.add(host(n)));
    expect(made).toEqual([false, false, false, true, true, true, true, true]);
    expect(held(waiting)).toEqual(["10.0.0.6", "10.0.0.7", "10.0.0.8"]);
  });

  it("takes one again that had to go", () => {
    const waiting = new Waiting(2);
    for (const n of [1, 2, 3, 1]) waiting.add(host(n));
    expect(held(waiting)).toEqual(["10.0.0.1", "10.0.0.3"]);
  });

  it("is empty after all was taken, and full again no earlier than before", () => {
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
