import { describe, expect, it } from "vitest";
import { type Address, formatAddress } from "../core/address.ts";
import { LIMITS } from "../core/limits.ts";
import { MINUTE } from "../core/time.ts";
import { NameLookup } from "./name-lookup.ts";

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function counting(): {
  names: NameLookup;
  asked: string[];
  found: string[];
  find: (name: string, now: number) => void;
} {
  const asked: string[] = [];
  const found: string[] = [];
  const names = new NameLookup((name) => {
    asked.push(name);
    return Promise.resolve([{ address: "192.0.2.1" }, { address: "2001:db8::1" }]);
  });
  return {
    names,
    asked,
    found,
    find: (name, now) => names.find(name, now, (a: Address) => found.push(formatAddress(a))),
  };
}

describe("NameLookup", () => {
  it("finds every address of a name, and remembers them for five minutes", async () => {
    const { asked, found, find } = counting();
    find("attacker.example", 0);
    await turn();
    find("attacker.example", 5 * MINUTE - 1);
    expect(found).toEqual(["192.0.2.1", "2001:db8::1", "192.0.2.1", "2001:db8::1"]);
    find("attacker.example", 5 * MINUTE);
    await turn();
    expect(asked).toEqual(["attacker.example", "attacker.example"]);
  });

  it("resolves at most a hundred names at once, and counts the others [limit: namesAsked]", () => {
    const { names, asked, find } = counting();
    for (let i = 0; i < 150; i++) find(`host${i}.example`, 0);
    expect([asked.length, names.dropped]).toEqual([100, 50]);
  });

  it("forgets the oldest name when it knows too many, and counts that [limit: namesKnown]", async () => {
    const { names, asked, find } = counting();
    for (let i = 0; i <= LIMITS.namesKnown.value; i++) {
      find(`host${i}.example`, 0);
      if (i % 50 === 0) for (let n = 0; n < 5; n++) await turn();
    }
    for (let n = 0; n < 5; n++) await turn();
    expect([asked.length, names.dropped, names.forgotten]).toEqual([LIMITS.namesKnown.value + 1, 0, 1]);
    find("host1.example", 0);
    find("host0.example", 0);
    expect(asked.slice(LIMITS.namesKnown.value + 1)).toEqual(["host0.example"]);
  });

  it("does not resolve text that is not a host name", () => {
    const { names, asked, find } = counting();
    for (const name of [
      "",
      "localhost",
      "a b.example",
      "x'.example",
      "-x.example",
      `${"a".repeat(64)}.example`,
    ])
      find(name, 0);
    expect([asked, names.dropped]).toEqual([[], 6]);
  });
});
