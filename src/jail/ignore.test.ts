import { describe, expect, it } from "vitest";
import { type Address, parseAddress } from "../core/address.ts";
import { PrefixSet } from "../core/prefix-map.ts";
import { parsePrefix, type Prefix } from "../core/prefix.ts";
import { IgnoreList, OwnAddresses } from "./ignore.ts";

const a = (text: string): Address => parseAddress(text)!;
const p = (text: string): Prefix => parsePrefix(text)!;

describe("IgnoreList", () => {
  it("says why an address is ignored: own address before allow-listed", () => {
    const ignore = new IgnoreList(
      [new PrefixSet([p("192.0.2.0/24")]), new PrefixSet(), new PrefixSet([p("2001:db8::/32")])],
      new OwnAddresses([p("192.0.2.1"), p("203.0.113.1")]),
    );
    const asked = ["192.0.2.1", "203.0.113.1", "192.0.2.2", "2001:db8::1", "203.0.113.2", "::ffff:192.0.2.9"];
    expect(asked.map((text) => ignore.reason(a(text), a(text), 0))).toEqual([
      "own address",
      "own address",
      "allow-listed",
      "allow-listed",
      null,
      "allow-listed",
    ]);
  });

  it("follows the machine's addresses as they change, unless configured not to ignore them", () => {
    const own = new OwnAddresses([p("192.0.2.1")]);
    const ignore = new IgnoreList([], own);
    const indifferent = new IgnoreList([], null);
    expect([ignore, indifferent].map((list) => list.reason(a("192.0.2.1"), a("192.0.2.1"), 0))).toEqual([
      "own address",
      null,
    ]);
    own.replace([p("192.0.2.2")]);
    expect(["192.0.2.1", "192.0.2.2"].map((text) => ignore.reason(a(text), a(text), 0))).toEqual([
      null,
      "own address",
    ]);
    expect([...own.values()]).toEqual([p("192.0.2.2")]);
  });

  it("recognises networks that contain an address that is never banned", () => {
    const ignore = new IgnoreList([new PrefixSet([p("2001:db8::7")])], new OwnAddresses([p("192.0.2.1")]));
    const networks = ["2001:db8::/64", "2001:db8:1::/64", "192.0.2.0/24", "198.51.100.0/24"];
    expect(networks.map((text) => ignore.meets(p(text), 0))).toEqual([true, false, true, false]);
    expect(new IgnoreList([], null).meets(p("::/0"), 0)).toBe(false);
  });
});
