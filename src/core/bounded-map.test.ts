import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BoundedMap } from "./bounded-map.ts";

describe("BoundedMap", () => {
  it("evicts the entry that was set the longest ago, returns it and counts it", () => {
    const map = new BoundedMap<string, number>(2);
    expect([map.set("a", 1), map.set("b", 2), map.isFull]).toEqual([null, null, true]);
    map.get("a");
    expect(map.set("c", 3)).toEqual(["a", 1]);
    map.set("b", 4);
    expect(map.set("d", 5)).toEqual(["c", 3]);
    expect([[...map.entries()], map.evicted, map.size]).toEqual([
      [
        ["b", 4],
        ["d", 5],
      ],
      2,
      2,
    ]);
  });

  it("does not count what was deleted or taken as evicted", () => {
    const map = new BoundedMap<string, number>(2);
    map.set("a", 1);
    map.set("b", 2);
    expect([map.delete("a"), map.delete("a"), map.takeOldest(), map.takeOldest()]).toEqual([
      true,
      false,
      ["b", 2],
      null,
    ]);
    expect([map.size, map.evicted, map.oldest()]).toEqual([0, 0, null]);
  });

  it("can be emptied while it is walked", () => {
    const map = new BoundedMap<number, number>(100);
    for (let n = 0; n < 100; n++) map.set(n, n);
    for (const [key] of map.entries()) map.delete(key);
    expect(map.size).toBe(0);
  });

  it("does the same as a Map that is searched for its oldest entry", () => {
    const command = fc.tuple(
      fc.constantFrom("set", "set", "set", "delete", "get", "takeOldest"),
      fc.nat({ max: 12 }),
      fc.nat(),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.array(command, { maxLength: 80 }),
        (capacity, commands) => {
          const map = new BoundedMap<number, number>(capacity);
          const plain = new Map<number, number>();
          let evicted = 0;
          for (const [what, key, value] of commands) {
            if (what === "set") {
              map.set(key, value);
              plain.delete(key);
              plain.set(key, value);
              const [oldest] = plain.keys();
              if (plain.size > capacity && oldest !== undefined && plain.delete(oldest)) evicted++;
            } else if (what === "delete") expect(map.delete(key)).toBe(plain.delete(key));
            else if (what === "get")
              expect([map.get(key), map.has(key)]).toEqual([plain.get(key), plain.has(key)]);
            else {
              const [oldest] = plain;
              expect(map.takeOldest()).toEqual(oldest ?? null);
              if (oldest !== undefined) plain.delete(oldest[0]);
            }
          }
          expect([[...map.entries()], map.size, map.evicted]).toEqual([[...plain], plain.size, evicted]);
        },
      ),
    );
  });
});
