import { describe, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import type { Ban } from "../core/ban.ts";
import type { Order } from "../core/order.ts";
import { formatAddress, isV4 } from "../core/address.ts";
import { formatPrefix, parsePrefix, type Prefix, prefixCovers, prefixOf } from "../core/prefix.ts";
import { DAY, FOREVER, HOUR, type Instant, MINUTE, SECOND } from "../core/time.ts";
import { OrderGate, type OrderOutcome } from "./gate.ts";
import { HeldOrders } from "./held.ts";
import type { OriginRules } from "./origin-rules.ts";
import { orderOf, readOrder } from "./read-order.ts";
import { SeenIds } from "./seen-ids.ts";
import { Underlying } from "./underlying.ts";

const NOW: Instant = Date.UTC(2026, 10, 20);
const OWN = prefix("203.0.113.7");

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(`Cannot read ${text}`);
  return parsed;
}

function order(value: Record<string, unknown>): Order {
  const read = orderOf(value);
  if (typeof read === "string") throw new Error(read);
  return read;
}

class Bench {
  readonly book = new Book({ capacity: 1000, changes: 1000 });
  readonly allowed: string[] = [];
  readonly forgotten: string[] = [];
  readonly resets: string[] = [];
  readonly gate = new OrderGate({
    book: this.book,
    holds: (one) => (prefixCovers(one, OWN) ? "it is, or holds, an own address" : null),
    allow: (one, until) => {
      this.allowed.push(`${formatPrefix(one)} ${until - NOW}`);
      return null;
    },
    unallow: (one) => {
      const at = this.allowed.findIndex((text) => text.startsWith(`${formatPrefix(one)} `));
      if (at >= 0) this.allowed.splice(at, 1);
      return at >= 0;
    },
    wasReset: (one) => this.resets.push(formatPrefix(one)),
    networksOf: (a) => [prefixOf(a, isV4(a) ? 32 : 64)],
    forget: (a) => this.forgotten.push(formatAddress(a)),
  });

  constructor(rules: Partial<OriginRules> = {}) {
    const scorer: OriginRules = {
      name: "scorer",
      may: ["ban", "unban", "allow", "unallow"],
      bantime: HOUR,
      longest: DAY,
      target: "default",
      widest: { v4: 24, v6: 48 },
      rate: 100,
      mass: 1000,
      bans: 100,
      unbansOthers: false,
      ...rules,
    };
    this.gate.configure([scorer, { ...scorer, name: "other" }], ["default", "slow"]);
  }

  take(value: Record<string, unknown>, { at = NOW, origin = "scorer" } = {}): OrderOutcome {
    return this.gate.take(order(value), origin, at);
  }

  bans(): string[] {
    return [...this.book.bans()].map(
      ({ prefix: p, target, until, origin, reason }) =>
        `${formatPrefix(p)} ${target} ${until === FOREVER ? "permanent" : (until - NOW) / HOUR} ${origin}: ${reason}`,
    );
  }
}

describe("the gate", () => {
  it("bans, prolongs, unbans and allows, within the origin's rules", () => {
    const bench = new Bench();
    expect(bench.take({ address: "192.0.2.1" })).toEqual({ kind: "done", what: "banned" });
    expect(bench.take({ address: "192.0.2.1", duration: "2h", reason: "score 0.9" })).toMatchObject({
      what: "prolonged",
    });
    expect(bench.take({ address: "192.0.2.1", duration: 90 })).toMatchObject({ kind: "nothing" });
    bench.take({ address: "2001:db8::/48", duration: "-1", target: "slow" });
    expect(bench.bans()).toEqual([
      "192.0.2.1 default 2 scorer: score 0.9",
      "2001:db8::/48 slow 24 scorer: ordered by scorer",
    ]);
    expect(bench.take({ order: "unban", address: "192.0.2.1" })).toMatchObject({
      kind: "done",
      what: "unbanned",
    });
    expect(bench.take({ order: "unban", address: "192.0.2.1" })).toEqual({
      kind: "nothing",
      fact: "not banned",
    });
    bench.take({ order: "allow", address: "192.0.2.9", duration: "10m" });
    expect([bench.book.size, bench.allowed]).toEqual([1, [`192.0.2.9 ${10 * MINUTE}`]]);
    expect(bench.take({ order: "unallow", address: "192.0.2.0/24" })).toMatchObject({ fact: "not allowed" });
    expect(bench.take({ order: "unallow", address: "192.0.2.9" })).toMatchObject({ what: "unallowed" });
    expect(bench.allowed).toEqual([]);
  });

  it("refuses forbidden orders, unknown origins and targets, and networks that contain own addresses", () => {
    const bench = new Bench({ may: ["ban"] });
    const facts = [
      bench.take({ order: "unban", address: "192.0.2.1" }),
      bench.take({ address: "192.0.2.1", target: "nowhere" }),
      bench.take({ address: "203.0.113.0/24" }),
      bench.take({ address: "192.0.2.1" }, { origin: "stranger" }),
    ].map((outcome) => ("fact" in outcome ? `${outcome.kind}: ${outcome.fact}` : outcome.kind));
    expect(facts).toEqual([
      "refused: scorer may not unban",
      "refused: there is no target nowhere",
      "refused: it is, or holds, an own address",
      "refused: there is no origin stranger",
    ]);
    expect(bench.gate.statsOf("scorer")).toMatchObject({
      refused: 3,
      lastRefusal: "Cannot ban 203.0.113.0/24 for scorer: it is, or holds, an own address",
    });
    expect(bench.book.size).toBe(0);
  });

  it.each([
    ["0.0.0.0", "an unspecified"],
    ["255.255.255.255", "a broadcast"],
    ["224.0.0.0/8", "a multicast"],
    ["ff02::1", "a multicast"],
    ["fe80::1", "a link-local"],
    ["::", "an unspecified"],
  ])("refuses to ban %s, from which no packet comes, and permits an unban", (address, kind) => {
    const bench = new Bench({ widest: { v4: 0, v6: 0 } });
    const fact = `no packet of a client comes from ${kind} address`;
    expect(bench.take({ address })).toEqual({ kind: "refused", fact });
    expect(bench.take({ address, order: "unban" })).toMatchObject({ kind: "nothing" });
    expect(bench.gate.statsOf("scorer")).toMatchObject({ refused: 1 });
  });

  it("carries out the same order once", () => {
    const bench = new Bench();
    expect(bench.take({ address: "192.0.2.1", id: 17 }).kind).toBe("done");
    bench.take({ order: "unban", address: "192.0.2.1" });
    expect(bench.take({ address: "192.0.2.1", id: "17" })).toEqual({
      kind: "nothing",
      fact: "the same order again",
    });
    expect(bench.take({ address: "192.0.2.1", id: "17" }, { origin: "other" }).kind).toBe("done");
  });

  it("holds networks that are too wide, and sudden masses of orders, until they are released", () => {
    const bench = new Bench({ mass: 3 });
    expect(bench.take({ address: "198.0.0.0/8" })).toEqual({ kind: "held", fact: "wider than /24" });
    expect(bench.take({ address: "2001::/16" })).toEqual({ kind: "held", fact: "wider than /48" });
    expect(bench.take({ address: "192.0.2.1" }).kind).toBe("done");
    expect(bench.take({ address: "192.0.2.2" })).toEqual({
      kind: "held",
      fact: "more than 3 orders in a minute",
    });
    expect(bench.take({ order: "unban", address: "192.0.2.1" }).kind).toBe("done");
    expect([...bench.gate.held.list("scorer")].map(({ order: one }) => formatPrefix(one.prefix))).toEqual([
      "198.0.0.0/8",
      "2001::/16",
      "192.0.2.2",
    ]);
    expect(bench.gate.release(NOW, "other")).toEqual({ done: 0, refused: 0 });
    expect(bench.gate.release(NOW)).toEqual({ done: 3, refused: 0 });
    expect([bench.book.size, bench.gate.held.size]).toEqual([3, 0]);
    expect(bench.take({ address: "192.0.2.3" }, { at: NOW + MINUTE }).kind).toBe("done");
  });

  it("refuses orders above the rate, and bans above the limit", () => {
    const bench = new Bench({ rate: 2, bans: 2 });
    const kinds = [1, 2, 3].map((i) => bench.take({ address: `192.0.2.${i}` }).kind);
    expect(kinds).toEqual(["done", "done", "refused"]);
    expect(bench.take({ address: "192.0.2.9" }, { at: NOW + SECOND })).toEqual({
      kind: "refused",
      fact: "scorer already has 2 bans",
    });
    expect(bench.take({ address: "192.0.2.1", duration: "3h" }, { at: NOW + SECOND }).kind).toBe("done");
  });

  it("removes only bans of the same origin, unless the origin may remove bans of others", () => {
    const local = {
      prefix: prefix("192.0.2.1"),
      target: "default",
      jail: "sshd",
      reason: "5 failures",
      since: NOW,
    };
    for (const unbansOthers of [false, true]) {
      const bench = new Bench({ unbansOthers });
      bench.book.ban({ ...local, until: NOW + HOUR, origin: "local" });
      expect(bench.take({ order: "unban", address: "192.0.2.1" }).kind).toBe(
        unbansOthers ? "done" : "refused",
      );
      expect(bench.book.size).toBe(unbansOthers ? 0 : 1);
    }
  });

  it("removes all bans of an origin at once, and restores the bans that they had prolonged", () => {
    const bench = new Bench();
    const local = { target: "default", jail: "sshd", reason: "5 failures", since: NOW, origin: "local" };
    bench.book.ban({ ...local, prefix: prefix("192.0.2.1"), until: NOW + HOUR });
    bench.take({ address: "192.0.2.1", duration: "5h" });
    bench.take({ address: "192.0.2.1", duration: "6h" });
    bench.take({ address: "192.0.2.2" });
    bench.take({ address: "192.0.2.3" }, { origin: "other" });
    expect([...bench.gate.revoke("scorer", NOW)]).toEqual([2]);
    expect(bench.bans()).toEqual([
      "192.0.2.1 default 1 local: 5 failures",
      "192.0.2.3 default 1 other: ordered by other",
    ]);
  });

  it("[limit: heldOrders] drops the oldest of too many held orders, and orders held for too long", () => {
    const held = new HeldOrders(2);
    const one = order({ address: "192.0.2.1" });
    for (const since of [NOW, NOW + 1, NOW + 2]) held.add({ order: one, origin: "x", fact: "", since });
    expect([held.size, held.dropped]).toEqual([2, 1]);
    held.sweep(NOW + DAY + 1);
    expect([held.size, held.dropped]).toEqual([1, 2]);
  });

  it("[limit: orderIds] evicts the oldest id when there are too many", () => {
    const ids = new SeenIds(2);
    expect(["1", "2", "3", "3", "1"].map((id) => ids.seen("x", id))).toEqual([
      false,
      false,
      false,
      true,
      false,
    ]);
    expect(ids.forgotten).toBe(2);
  });

  it("does not restore an underlying ban that was removed since", () => {
    const bench = new Bench();
    const local = { target: "default", jail: "sshd", reason: "5 failures", since: NOW, origin: "local" };
    const where = prefix("192.0.2.1");
    bench.book.ban({ ...local, prefix: where, until: NOW + 5 * HOUR });
    bench.take({ address: "192.0.2.1", duration: "1d" });
    bench.book.unban(where, "operator");
    const later = { at: NOW + MINUTE };
    expect(bench.take({ address: "192.0.2.1" }, later)).toMatchObject({ what: "banned" });
    expect(bench.take({ order: "unban", address: "192.0.2.1" }, later)).toMatchObject({ what: "unbanned" });
    expect(bench.bans()).toEqual([]);
    // The old one does not hide a newer one, either.
    bench.book.ban({ ...local, prefix: where, since: NOW + MINUTE, until: NOW + 2 * HOUR });
    bench.take({ address: "192.0.2.1", duration: "1d" }, later);
    bench.take({ order: "unban", address: "192.0.2.1" }, later);
    expect(bench.bans()).toEqual(["192.0.2.1 default 2 local: 5 failures"]);
  });

  it("restores no underlying ban for an origin that may remove bans of others", () => {
    const bench = new Bench({ unbansOthers: true });
    for (const order of ["unban", "allow"]) {
      bench.take({ address: "192.0.2.1" }, { origin: "other" });
      bench.take({ address: "192.0.2.1", duration: "2h" });
      bench.take({ order, address: "192.0.2.1" });
      expect(bench.bans()).toEqual([]);
    }
  });

  it("a ban with an end of its own ends then, at most after the longest time; only the operator names a jail", () => {
    const bench = new Bench();
    const until = (span: number): string => new Date(NOW + span).toISOString();
    bench.take({ address: "192.0.2.1", until: until(MINUTE), jail: "sshd" });
    expect([...bench.book.bans()]).toMatchObject([{ until: NOW + MINUTE, jail: "" }]);
    expect(bench.take({ address: "192.0.2.2", until: until(0) })).toEqual({
      kind: "nothing",
      fact: "over already",
    });
    const operator = new Bench({ isOperator: true });
    operator.take({ address: "192.0.2.1", until: until(MINUTE), jail: "sshd" });
    expect([...operator.book.bans()]).toMatchObject([{ jail: "sshd" }]);
  });

  it("for the operator, unbans the network that jails ban for an address, and resets their counts", () => {
    const bench = new Bench({ unbansOthers: true, isOperator: true });
    const local = { target: "slow", jail: "sshd", reason: "5 failures", since: NOW, origin: "local" };
    bench.book.ban({ ...local, prefix: prefix("2001:db8::/64"), until: NOW + HOUR });
    const { bans } = bench.take({ order: "unban", address: "2001:db8::7" }) as { bans?: readonly Ban[] };
    expect(bans?.map((ban) => formatPrefix(ban.prefix))).toEqual(["2001:db8::/64"]);
    expect([bench.book.size, bench.forgotten]).toEqual([0, ["2001:db8::7"]]);
    const { changes } = bench.book.feed.since(1) as { changes: readonly unknown[] };
    expect(changes).toMatchObject([{ kind: "lift", by: "operator" }]);
  });

  it("clears the whole book in the operator's name", () => {
    const bench = new Bench();
    bench.take({ address: "192.0.2.1" });
    bench.take({ address: "192.0.2.2" }, { origin: "other" });
    expect([...bench.gate.clear()]).toEqual([2]);
    expect([bench.book.size, bench.forgotten.toSorted()]).toEqual([0, ["192.0.2.1", "192.0.2.2"]]);
  });

  it("accepts a refused order when it is sent again with the same id", () => {
    const bench = new Bench({ bans: 1 });
    bench.take({ address: "192.0.2.1" });
    expect(bench.take({ address: "192.0.2.2", id: "a" }).kind).toBe("refused");
    bench.take({ order: "unban", address: "192.0.2.1" });
    expect(bench.take({ address: "192.0.2.2", id: "a" }).kind).toBe("done");
    expect(bench.take({ address: "192.0.2.2", id: "a" })).toEqual({
      kind: "nothing",
      fact: "the same order again",
    });
  });

  it("releases no order that the rules now forbid, or whose target was removed", () => {
    const bench = new Bench();
    bench.take({ address: "192.0.0.0/16", target: "slow" });
    bench.take({ address: "198.51.0.0/16" });
    bench.gate.configure([...bench.gate.rules()], ["default"]);
    expect(bench.gate.release(NOW)).toEqual({ done: 1, refused: 1 });
    expect(bench.bans()).toEqual(["198.51.0.0/16 default 1 scorer: ordered by scorer"]);
    expect(bench.gate.statsOf("scorer")?.lastRefusal).toContain("there is no target slow");
    bench.gate.configure([...bench.gate.rules()], ["slow"]);
    expect(bench.take({ address: "192.0.2.1" })).toEqual({
      kind: "refused",
      fact: "there is no target default",
    });
  });

  it("[limit: underlyingBans] evicts the oldest underlying ban when there are too many, and counts it", () => {
    const below = new Underlying(1);
    const ban = (text: string) => ({
      prefix: prefix(text),
      target: "t",
      jail: "",
      reason: "",
      since: 0,
      until: 1,
      origin: "local",
    });
    below.remember(ban("192.0.2.1"));
    below.remember(ban("192.0.2.2"));
    expect([below.take(ban("192.0.2.1")), below.take(ban("192.0.2.2"))?.origin, below.forgotten]).toEqual([
      null,
      "local",
      1,
    ]);
  });
});

describe("an order in JSON", () => {
  it.each([
    ['{"address":"192.0.2.1"}', { kind: "ban", duration: null, target: null, reason: "", id: null }],
    [
      '{"order":"unban","address":"2001:db8::/32","reason":"a\\u001b[31m\\nb ","id":5,"more":1}',
      { kind: "unban", reason: "a [31m b", id: "5" },
    ],
    ['{"address":"192.0.2.1","duration":"1d12h"}', { duration: 1.5 * DAY }],
    ['{"address":"192.0.2.1","duration":-1}', { duration: FOREVER }],
  ])("%s", (text, expected) => {
    expect(readOrder(text)).toMatchObject(expected);
  });

  it.each([
    ["", "it is not valid JSON"],
    ["[]", "it is not a JSON object"],
    ["{}", "nothing is not an IP address or network"],
    ['{"address":"999.1.1.1"}', '"999.1.1.1" is not an IP address or network'],
    ['{"address":"192.0.2.1","order":"kill"}', 'order must be ban, unban, allow or unallow, not "kill"'],
    ['{"address":"192.0.2.1","duration":"soon"}', '"soon" is not a duration'],
    ['{"address":"192.0.2.1","duration":0}', "number is not a duration"],
    ['{"address":"192.0.2.1","target":{}}', "target must be a string"],
    [`{"address":"192.0.2.1","reason":"${"x".repeat(5000)}"}`, "it is longer than 4096 bytes"],
  ])("rejects %s: %s [limit: orderBytes]", (text, fact) => {
    expect(readOrder(text)).toBe(fact);
  });
});
