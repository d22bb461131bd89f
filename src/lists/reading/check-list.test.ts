import { describe, expect, it } from "vitest";
import { formatPrefix } from "../../core/prefix.ts";
import { atOnce } from "../../core/turns.ts";
import { checkList, DEFAULT_SWAY, type ListSize, swayFault, tellTakenOut } from "./check-list.ts";
import { networks, parse, prefix } from "../../../test/support/parsed-list.ts";
import { SPECIAL_PURPOSE } from "../../core/special-purpose.ts";

describe("checkList", () => {
  it("merges networks that overlap or touch, in both families", () => {
    const { ranges, size } = check(
      "192.0.2.128/25",
      "192.0.2.0/25",
      "192.0.2.7",
      "2001:db8:1::/48",
      "2001:db8::/48",
    );
    expect(networks(ranges)).toEqual(["192.0.2.0/24", "2001:db8::/47"]);
    expect(size).toEqual({ networks: 2, v4: 256, v6: 2 ** 81 });
  });

  it("removes private and special networks, and reports it", () => {
    const { ranges, takenOut } = check(
      "10.0.0.0/8",
      "192.168.0.0/15",
      "198.51.100.1",
      "127.0.0.1",
      "fe80::/16",
      "::1",
    );
    expect(networks(ranges)).toEqual(["192.169.0.0/16", "198.51.100.1"]);
    expect(takenOut.map(tellTakenOut)).toEqual([
      "10.0.0.0/8 is private",
      "192.168.0.0/16 is private",
      "127.0.0.0/8 is loopback",
      "::1 is loopback",
      "fe80::/10 is link-local",
    ]);
  });

  it("splits a network around an own or allow-listed address", () => {
    const { ranges, takenOut } = atOnce(
      checkList(parse("198.51.100.0/24", "203.0.113.9"), [
        ...SPECIAL_PURPOSE,
        { prefix: prefix("198.51.100.7"), why: "allow-listed" },
        { prefix: prefix("203.0.113.0/24"), why: "allow-listed" },
        { prefix: prefix("203.0.113.0/28"), why: "allow-listed" },
        { prefix: prefix("198.51.100.7"), why: "an own address" },
        { prefix: prefix("192.0.2.1"), why: "allow-listed" },
      ]),
    );
    expect(networks(ranges)).toEqual([
      "198.51.100.0/30",
      "198.51.100.4/31",
      "198.51.100.6",
      "198.51.100.8/29",
      "198.51.100.16/28",
      "198.51.100.32/27",
      "198.51.100.64/26",
      "198.51.100.128/25",
    ]);
    expect(takenOut.map(tellTakenOut)).toEqual([
      "198.51.100.7 is allow-listed",
      "203.0.113.0/24 is allow-listed",
    ]);
  });

  it("reports how many entries were in a removed network", () => {
    const { takenOut } = check("10.0.0.1", "10.0.0.3", "10.0.0.5");
    expect(takenOut.map(tellTakenOut)).toEqual(["10.0.0.0/8 is private, and was in 3 entries"]);
  });

  it("leaves nothing of a list of special networks", () => {
    const { ranges } = check(...SPECIAL_PURPOSE.map((one) => formatPrefix(one.prefix)));
    expect(networks(ranges)).toEqual([]);
  });
});

describe("swayFault", () => {
  const size = (networks: number, v4 = networks, v6 = 0): ListSize => ({ networks, v4, v6 });
  it.each<[string, ListSize, ListSize | null, string | null]>([
    ["the first list", size(500_000), null, null],
    ["one that is twice as large", size(20_000), size(10_000), null],
    [
      "one that is more than twice as large",
      size(20_001),
      size(10_000),
      "it grew from 10000 to 20001 networks",
    ],
    ["one that is half as large", size(5000), size(10_000), null],
    [
      "one that is less than half as large",
      size(4999),
      size(10_000),
      "it shrank from 10000 to 4999 networks",
    ],
    ["one that ends", size(0), size(1000), "it shrank from 1000 to 0 networks"],
    ["a small one that ends", size(0), size(999), null],
    ["a small one that grows", size(1000), size(1), null],
    ["one that covers too much", size(100, 2 ** 31), null, "it covers 50 % of all IPv4 addresses"],
    [
      "one that covers too much of IPv6",
      size(100, 0, 2 ** 124),
      null,
      "it covers 50 % of all IPv6 addresses",
    ],
    [
      "one whose hosts became networks",
      size(1000, 2 ** 25),
      size(1000),
      "it covers far more addresses than before, in few networks",
    ],
  ])("judges %s", (_, now, before, fault) => {
    expect(swayFault(now, before, DEFAULT_SWAY)).toBe(fault);
  });
});

function check(...lines: readonly string[]) {
  return atOnce(checkList(parse(...lines), SPECIAL_PURPOSE));
}
