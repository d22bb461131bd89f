import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AddressTable } from "./address-table.ts";
import { formatAddress, parseAddress, type Address } from "./address.ts";

const address = (text: string): Address => {
  const parsed = parseAddress(text);
  if (parsed === null) throw new Error(`Cannot read ${text}`);
  return parsed;
};

describe("a table of addresses", () => {
  it("evicts the entry with the oldest write when it is full, and counts it", () => {
    const table = new AddressTable<number>(2);
    table.set(address("192.0.2.1"), 1);
    table.set(address("192.0.2.2"), 2);
    table.set(address("192.0.2.1"), 3);
    table.set(address("2001:db8::1"), 4);
    expect([table.get(address("192.0.2.1")), table.get(address("192.0.2.2"))]).toEqual([3, undefined]);
    expect([table.size, table.forgotten]).toEqual([2, 1]);
  });

  it("sweeps from the oldest on, up to the limit", () => {
    const table = new AddressTable<number>(10);
    for (let i = 1; i <= 5; i++) table.set(address(`192.0.2.${i}`), i);
    expect(table.sweep((value) => value <= 3, 2)).toBe(2);
    expect(table.sweep((value) => value <= 3, 10)).toBe(1);
    expect([...table.capture()].map(({ value }) => value)).toEqual([5, 4]);
  });

  it("behaves like a Map that evicts its oldest key", () => {
    const operation = fc.record({
      text: fc.constantFrom("192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1", "2001:db8::2"),
      value: fc.option(fc.nat(9), { nil: null }),
    });
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), (all, capacity) => {
        const table = new AddressTable<number>(capacity);
        const oracle = new Map<string, number>();
        for (const { text, value } of all) {
          if (value === null) expect(table.delete(address(text))).toBe(oracle.delete(text));
          else {
            table.set(address(text), value);
            oracle.delete(text);
            oracle.set(text, value);
            if (oracle.size > capacity) oracle.delete([...oracle.keys()][0] ?? "");
          }
        }
        const entries = [...table.capture()].map((e) => [formatAddress(e.address), e.value] as const);
        expect(entries.reverse()).toEqual([...oracle]);
        expect(table.size).toBe(oracle.size);
      }),
    );
  });
});
