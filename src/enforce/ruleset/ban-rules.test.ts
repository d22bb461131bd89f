import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePrefix, type Prefix } from "../../core/prefix.ts";
import { DAY, FOREVER, HOUR, MINUTE, SECOND } from "../../core/time.ts";
import { banSet, banSetOf, checkTargetName, parseBanSet } from "./names.ts";
import { mergePorts, rateOf, sourceChain } from "./ban-rules.ts";
import { lastOfEach, StandingSets, timeoutFor } from "./standing-sets.ts";

const TARGET = {
  name: "default",
  enforcer: "nftables",
  verdict: { kind: "drop" },
  ports: [],
  protocols: [],
} as const;

describe("names of sets", () => {
  it("encode the target, family and prefix length, and are parsed again", () => {
    expect(banSetOf(prefix("192.0.2.1"), "default").name).toBe("default_v4");
    expect(banSetOf(prefix("192.0.2.0/24"), "default").name).toBe("default_v4_24");
    expect(banSetOf(prefix("2001:db8::/48"), "a_v4").name).toBe("a_v4_v6_48");
    fc.assert(
      fc.property(
        fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,20}$/),
        fc.constantFrom("v4", "v6"),
        fc.option(fc.nat(31)),
        fc.boolean(),
        (target, family, length, spare) => {
          const set = banSet(target, family, length, spare);
          expect(parseBanSet(set.name)).toEqual(set);
        },
      ),
    );
  });

  it("of other sets are not parsed", () => {
    for (const name of [
      "default",
      "default_v4_32",
      "default_v6_128",
      "default_v4_024",
      "_v4",
      "default_rate_4",
    ]) {
      expect(parseBanSet(name)).toBeNull();
    }
  });

  it("do not accept a target's name that nft could not print", () => {
    for (const name of ["", "1st", "a b", "a;b", "ä", "x".repeat(65)]) {
      expect(() => checkTargetName(name)).toThrow(/^Cannot use ".*" as the name of a target: /);
    }
    checkTargetName("Web-servers.all_1");
  });
});

describe("the ruleset", () => {
  it("looks up hosts first, then networks from the smallest to the largest", () => {
    const sets = [8, null, 24, 0].map((length) => banSet("default", "v4", length));
    const other = [banSet("default", "v6", null), banSet("other", "v4", null)];
    const names = sourceChain(TARGET, "v4", [...other, ...sets]).rules.map(([first]) =>
      first?.kind === "source" ? first.set.name : "",
    );
    expect(names).toEqual(["default_v4", "default_v4_24", "default_v4_8", "default_v4_0"]);
  });

  it("merges ports: each port stays in exactly one range", () => {
    const range = fc.tuple(fc.nat(200), fc.nat(30)).map(([first, more]) => ({ first, last: first + more }));
    fc.assert(
      fc.property(fc.array(range, { maxLength: 12 }), (ranges) => {
        const merged = mergePorts(ranges);
        const holds = (some: typeof merged, port: number) =>
          some.some((r) => r.first <= port && port <= r.last);
        for (let port = 0; port < 240; port++) expect(holds(merged, port)).toBe(holds(ranges, port));
        merged.slice(1).forEach((r, i) => expect(r.first).toBeGreaterThan(merged[i]!.last + 1));
      }),
    );
  });

  it("expresses rates in units that nft has", () => {
    const rate = (packets: number, per: number) => rateOf({ kind: "throttle", packets, per, burst: 0 });
    expect(rate(10, MINUTE)).toEqual({ packets: 10, seconds: 60, burst: 1 });
    expect(rate(3, 10 * MINUTE)).toEqual({ packets: 432, seconds: DAY / SECOND, burst: 1 });
    expect(rate(1, 30 * DAY)).toEqual({ packets: 1, seconds: DAY / SECOND, burst: 1 });
  });

  it("never makes a ban shorter than requested", () => {
    expect(timeoutFor(1000, 0)).toBe(1020);
    expect(timeoutFor(1000.2, 0)).toBe(1021);
    expect(timeoutFor(0, 50)).toBe(20);
    expect(timeoutFor(FOREVER, 0)).toBeNull();
    expect(timeoutFor(1e300, 0)).toBeNull();
  });

  it("makes a set for each prefix length that occurs, and refuses bans without a set", () => {
    const standing = new StandingSets(
      [TARGET],
      [banSet("default", "v4", null), banSet("default", "v6", null)],
    );
    const ban = (text: string, target = "default", until = HOUR) =>
      ({ kind: "ban", prefix: prefix(text), target, until }) as const;
    const bans = [
      ban("192.0.2.0/24"),
      ban("198.51.100.0/24"),
      ban("10.0.0.0/8", "nowhere"),
      ban("10.0.0.0/9", "default", 0),
    ];
    expect(standing.missingFor(bans, 0).map(({ name }) => name)).toEqual(["default_v4_24"]);
    const { placed, refusals } = standing.place(bans, 0, new Map([["default_v4_24", "out of memory"]]));
    expect(placed).toEqual([]);
    expect(refusals.map(({ fact }) => fact)).toEqual([
      "Cannot ban 192.0.2.0/24 at default: out of memory",
      "Cannot ban 198.51.100.0/24 at default: out of memory",
      "Cannot ban 10.0.0.0/8 at nowhere: there is no target nowhere",
    ]);
    const set = banSet("default", "v4", 24);
    const twice = [1, 2].map((until) => ({ set, change: ban("192.0.2.0/24", "default", until) }));
    expect(lastOfEach(twice)).toEqual([twice[1]]);
  });
});

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(`Cannot read ${text}`);
  return parsed;
}
