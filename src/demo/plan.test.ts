import { describe, expect, it } from "vitest";
import { parseAddress } from "../core/address.ts";
import { parsePrefix, prefixContains } from "../core/prefix.ts";
import {
  ATTACKER_NETWORK_V6,
  ATTACKER_NETWORKS_V4,
  attackerAddress,
  families,
  MOST_ATTACKERS,
  plan,
  USER_NETWORK,
  userAddress,
  USERS,
} from "./plan.ts";

const networks = [...ATTACKER_NETWORKS_V4, ATTACKER_NETWORK_V6].map((text) => parsePrefix(text)!);
const everybody = Array.from({ length: MOST_ATTACKERS }, (_, i) => i);

describe("attackerAddress()", () => {
  it.each([true, false])(
    "gives each attacker an address of its own in the networks that are routed (IPv6: %s)",
    (ipv6) => {
      const addresses = everybody.map((i) => attackerAddress(i, ipv6));
      expect(new Set(addresses).size).toBe(MOST_ATTACKERS);
      for (const text of addresses) {
        const address = parseAddress(text);
        expect(address, text).not.toBeNull();
        expect(
          networks.some((network) => prefixContains(network, address!)),
          text,
        ).toBe(true);
      }
    },
  );

  it("gives every fifth an IPv6 address, and none without IPv6", () => {
    expect([0, 3, 4, 5].map((i) => attackerAddress(i, true))).toEqual([
      "198.51.100.1",
      "198.51.100.4",
      "2001:db8:bad:5::1",
      "198.51.100.5",
    ]);
    for (const ipv6 of [true, false]) {
      const count = everybody.filter((i) => attackerAddress(i, ipv6).includes(":")).length;
      expect(count).toBe(families(plan(1, MOST_ATTACKERS, ipv6)).ipv6);
    }
  });
});

describe("userAddress()", () => {
  it("stays in the users' network, which has no attacker", () => {
    const network = parsePrefix(USER_NETWORK)!;
    for (let i = 0; i < USERS; i++) {
      expect(prefixContains(network, parseAddress(userAddress(i))!)).toBe(true);
    }
    expect(everybody.some((i) => prefixContains(network, parseAddress(attackerAddress(i, true))!))).toBe(
      false,
    );
  });
});

describe("plan()", () => {
  it("bounds the rate, in total and for one address", () => {
    expect(plan(10, 3, true).rate).toBe(30);
    expect(plan(10, 1000, true).rate).toBe(2000);
  });
});
