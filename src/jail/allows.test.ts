import { expect, it } from "vitest";
import type { OrderNote } from "../core/order-note.ts";
import { formatPrefix, parsePrefix, type Prefix } from "../core/prefix.ts";
import { FOREVER } from "../core/time.ts";
import { Trusted } from "./trusted.ts";
import { Allows } from "./allows.ts";

const p = (text: string): Prefix => parsePrefix(text) as Prefix;

function bench(capacity = 10) {
  const trusted = new Trusted(10);
  const notes: OrderNote[] = [];
  const allows = new Allows(trusted, capacity, (note) => notes.push(note));
  const allow = (text: string, until: number, since = 0): void =>
    allows.allow({ prefix: p(text), since, until, origin: "operator" });
  const listed = (now: number): readonly string[] =>
    [...allows.active(now)].map(({ prefix, until }) => `${formatPrefix(prefix)} ${until}`);
  return { trusted, allows, allow, listed, notes };
}

it("lists what is allowed until its end, or until it is taken back", () => {
  const { trusted, allows, allow, listed } = bench();
  allow("0.0.0.0/0", FOREVER);
  allow("192.0.2.1", 50);
  expect(listed(10)).toEqual([`0.0.0.0/0 ${FOREVER}`, "192.0.2.1 50"]);
  expect([allows.unallow(p("0.0.0.0/0"), 11), allows.unallow(p("0.0.0.0/0"), 11)]).toEqual([true, false]);
  expect([listed(12), trusted.has(p("203.0.113.1").address, 12)]).toEqual([["192.0.2.1 50"], false]);
  expect(trusted.has(p("192.0.2.1").address, 12)).toBe(true);
  allows.sweep(50);
  expect([listed(50), allows.size]).toEqual([[], 0]);
});

it("takes back exactly the network that was allowed", () => {
  const { trusted, allows, allow } = bench();
  allow("192.0.2.0/24", 50);
  expect([allows.unallow(p("192.0.2.7"), 1), allows.unallow(p("192.0.2.0/25"), 1)]).toEqual([false, false]);
  expect(trusted.has(p("192.0.2.7").address, 2)).toBe(true);
});

it("does not shorten an order, and notes the end that counts", () => {
  const { allow, listed, notes } = bench();
  allow("192.0.2.1", 50);
  allow("192.0.2.1", 20, 5);
  expect([listed(30), notes.map((note) => (note.kind === "allow" ? note.until : null))]).toEqual([
    ["192.0.2.1 50"],
    [50, 50],
  ]);
});

it("restores what was noted, in its order", () => {
  const before = bench();
  before.allow("0.0.0.0/0", FOREVER);
  before.allow("192.0.2.0/24", 50);
  before.allow("203.0.113.1", 5);
  before.allows.unallow(p("0.0.0.0/0"), 3);
  before.allows.reset(p("192.0.2.1"), 4);
  const after = bench();
  for (const note of before.notes) after.allows.restore(note, 10);
  expect([after.listed(10), after.notes, after.trusted.has(p("198.51.100.1").address, 10)]).toEqual([
    ["192.0.2.0/24 50"],
    [],
    false,
  ]);
});

it("lists so many at most, and counts those in force that it no longer lists [limit: allows]", () => {
  const { trusted, allows, allow, listed } = bench(2);
  for (const text of ["192.0.2.1", "192.0.2.2", "192.0.2.3"]) allow(text, 50);
  expect([listed(1), allows.forgotten]).toEqual([["192.0.2.2 50", "192.0.2.3 50"], 1]);
  expect([allows.unallow(p("192.0.2.1"), 2), trusted.has(p("192.0.2.1").address, 3)]).toEqual([true, false]);
});
