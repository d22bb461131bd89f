import { describe, expect, it } from "vitest";
import { Book } from "../book/book.ts";
import { parsePrefix, prefixContains } from "../core/prefix.ts";
import { formatPrefix } from "../core/prefix.ts";
import { FOREVER, HOUR, type Instant, MINUTE } from "../core/time.ts";
import { runningJail } from "./builders.test-support.ts";
import { OrderGate } from "../orders/gate.ts";
import { OPERATOR } from "../orders/origin-rules.ts";
import { EXEMPT, orderBan, type OrderContext, orderUnban, takeOrders } from "./orders.ts";

const NOW: Instant = Date.UTC(2026, 10, 20);

function context(): OrderContext {
  const own = parsePrefix("192.0.2.1");
  const book = new Book({ capacity: 100, changes: 100 });
  const jails = [runningJail({ name: "sshd", bantime: 10 * MINUTE, ipv6Prefix: 64 })];
  const targets = ["default", "slow"];
  const gate = new OrderGate({
    book,
    holds: (prefix, { isOperator }) => {
      if (own !== null && prefixContains(prefix, own.address)) return EXEMPT["own address"];
      return isOperator ? null : EXEMPT.trusted;
    },
    allow: ({ length }) => (length === 0 ? "it covers everything" : null),
    unallow: () => true,
    wasReset: () => undefined,
    networksOf: (address) => jails.map(({ jail }) => jail.prefixOf(address)),
    forget: (address) => jails.forEach(({ jail }) => jail.forget(address)),
  });
  gate.configure([OPERATOR], targets);
  return { gate, book, jails, targets };
}

function standing({ book }: { readonly book: Book }): string[] {
  return [...book.bans()].map(
    (ban) =>
      `${formatPrefix(ban.prefix)} at ${ban.target} ${ban.until === FOREVER ? "permanently" : ban.until - NOW}`,
  );
}

describe("orderUnban()", () => {
  it("resets the counters of unbanned addresses", async () => {
    const orders = context();
    const [{ jail } = runningJail()] = orders.jails;
    const counted = parsePrefix("2001:db8:0:1::5");
    if (counted === null) throw new Error("no address");
    const offence = { address: counted.address, at: NOW, count: 3 };
    jail.decide(offence, null, NOW);
    orderBan({ addresses: ["2001:db8:0:1::/64"] }, orders, NOW);
    expect(await orderUnban({ all: true }, orders, NOW)).toEqual({ lifted: 1, results: [] });
    expect(jail.seen(counted.address, NOW)).toBe(0);
  });
});

describe("orderBan()", () => {
  it("bans addresses and networks for an hour by default", () => {
    const orders = context();
    orderBan({ addresses: ["198.51.100.7", "2001:db8::/32"] }, orders, NOW);
    orderBan({ addresses: ["198.51.100.8"], duration: "-1", target: "slow" }, orders, NOW);
    orderBan({ addresses: ["198.51.100.9"], jail: "sshd" }, orders, NOW);
    expect(standing(orders).sort()).toEqual([
      "198.51.100.7 at default 3600000",
      "198.51.100.8 at slow permanently",
      "198.51.100.9 at default 600000",
      "2001:db8::/32 at default 3600000",
    ]);
  });

  it("gives the outcome of each address", () => {
    const orders = context();
    orderBan({ addresses: ["198.51.100.7"], duration: "2h" }, orders, NOW);
    const { results } = orderBan({ addresses: ["198.51.100.7", "999.1.1.1", "192.0.2.0/24"] }, orders, NOW);
    expect(results).toEqual([
      {
        address: "198.51.100.7",
        outcome: "unchanged",
        detail: "198.51.100.7 is already banned at default for longer",
      },
      {
        address: "999.1.1.1",
        outcome: "refused",
        detail: "Cannot ban 999.1.1.1: not an IP address or network",
      },
      {
        address: "192.0.2.0/24",
        outcome: "refused",
        detail: "Cannot ban 192.0.2.0/24: it is, or holds, an address of this machine or its gateway",
      },
    ]);
    expect(standing(orders)).toEqual([`198.51.100.7 at default ${2 * HOUR}`]);
  });

  it("goes through the gate, which counts it, and bans even trusted addresses", () => {
    const orders = context();
    const addresses = ["198.51.100.7", "192.0.2.1", "198.51.100.7"];
    orderBan({ addresses, jail: "sshd" }, orders, NOW);
    expect(orders.gate.statsOf("operator")).toMatchObject({ done: 1, refused: 1, nothing: 1 });
    expect([...orders.book.bans()]).toMatchObject([{ jail: "sshd", origin: "operator", reason: "by hand" }]);
  });

  it("refuses an unknown jail, target or duration", () => {
    const ban = (request: object) => () =>
      orderBan({ addresses: ["198.51.100.7"], ...request }, context(), NOW);
    expect(ban({ jail: "ssh" })).toThrow("Cannot ban: unknown jail ssh (jails: sshd)");
    expect(ban({ target: "x" })).toThrow("Cannot ban: unknown target x (targets: default, slow)");
    expect(ban({ duration: "soon" })).toThrow(
      "Cannot ban: soon is not a duration (write 90, 10m, 1d12h, or -1 for permanent)",
    );
    expect(ban({ duration: "0" })).toThrow("Cannot ban: 0 is not a duration");
  });
});

describe("orderUnban()", () => {
  it("unbans at every target, and the network that a jail banned for the address", async () => {
    const orders = context();
    orderBan({ addresses: ["198.51.100.7", "2001:db8:0:1::/64"] }, orders, NOW);
    orderBan({ addresses: ["198.51.100.7"], target: "slow" }, orders, NOW);
    expect(await orderUnban({ addresses: ["198.51.100.7", "2001:db8:0:1::9"] }, orders, NOW)).toEqual({
      lifted: 3,
      results: [
        { address: "198.51.100.7", outcome: "lifted", detail: "Unbanned 198.51.100.7" },
        { address: "2001:db8:0:1::9", outcome: "lifted", detail: "Unbanned 2001:db8:0:1::/64" },
      ],
    });
    expect(standing(orders)).toEqual([]);
  });

  it("gives the reason when it unbans nothing", async () => {
    const orders = context();
    orderBan({ addresses: ["198.51.100.0/24"] }, orders, NOW);
    expect(await orderUnban({ addresses: ["198.51.100.7", "203.0.113.1", "nothing"] }, orders, NOW)).toEqual({
      lifted: 0,
      results: [
        {
          address: "198.51.100.7",
          outcome: "not banned",
          detail: "198.51.100.7 is not banned itself; its network 198.51.100.0/24 is",
        },
        { address: "203.0.113.1", outcome: "not banned", detail: "203.0.113.1 is not banned" },
        {
          address: "nothing",
          outcome: "refused",
          detail: "Cannot unban nothing: not an IP address or network",
        },
      ],
    });
  });

  it("tells when the network around what it unbanned is still banned", async () => {
    const orders = context();
    orderBan({ addresses: ["198.51.100.0/24", "198.51.100.7", "203.0.113.0/28"] }, orders, NOW);
    const { results } = await orderUnban({ addresses: ["198.51.100.7", "203.0.113.0/24"] }, orders, NOW);
    expect(results.map(({ detail }) => detail)).toEqual([
      "Unbanned 198.51.100.7, but its network 198.51.100.0/24 is still banned",
      "203.0.113.0/24 is not banned",
    ]);
  });

  it("unbans all", async () => {
    const orders = context();
    orderBan({ addresses: ["198.51.100.7", "2001:db8::/32"] }, orders, NOW);
    expect((await orderUnban({ all: true }, orders, NOW)).lifted).toBe(2);
    expect(standing(orders)).toEqual([]);
  });
});

it("orders that name a jail have its target, their own end, and tell it of earlier bans", async () => {
  const orders = context();
  const ban = (address: string, more: object): string => JSON.stringify({ address, ...more });
  const until = new Date(NOW + MINUTE).toISOString();
  const lines = [
    ban("198.51.100.7", { jail: "sshd", until, times: 3 }),
    ban("198.51.100.8", { jail: "sshd", until: new Date(NOW - MINUTE).toISOString(), times: 2 }),
    ban("198.51.100.9", { jail: "sshd" }),
    ban("198.51.100.10", { jail: "other", duration: "-1", times: 9 }),
    ban("198.51.100.11", { until: "tomorrow" }),
    ban("198.51.100.11", { times: 0 }),
  ];
  const answer = await takeOrders(
    lines,
    OPERATOR.name,
    { gate: orders.gate, named: orders },
    { now: () => NOW },
  );
  expect(answer).toMatchObject({ done: 3, nothing: 1, unreadable: 2 });
  expect(standing(orders)).toEqual([
    "198.51.100.7 at default 60000",
    "198.51.100.9 at default 600000",
    "198.51.100.10 at default permanently",
  ]);
  expect([...orders.book.bans()].map(({ jail }) => jail)).toEqual(["sshd", "sshd", ""]);
  const before = ["198.51.100.7", "198.51.100.8", "198.51.100.9"].map((text) => {
    const prefix = parsePrefix(text);
    return prefix === null ? null : orders.jails[0]?.jail.offences.before(prefix.address, NOW);
  });
  expect(before).toEqual([3, 2, 0]);
});

it("an allow of everything is carried out, and the answer warns of it", async () => {
  const { gate } = context();
  const lines = ["0.0.0.0/0", "192.0.2.9"].map((address) => JSON.stringify({ order: "allow", address }));
  expect(await takeOrders(lines, OPERATOR.name, { gate }, { now: () => NOW })).toMatchObject({
    done: 2,
    sentences: ["Line 1: warning: it covers everything"],
  });
});
