import { describe, expect, it } from "vitest";
import { parsePrefix, type Prefix } from "../../core/prefix.ts";
import { FOREVER, MINUTE } from "../../core/time.ts";
import { banSet } from "../ruleset/names.ts";
import { chainsOf, helperSetsOf } from "../ruleset/ban-rules.ts";
import { firstFact } from "./program.ts";
import { bansIn, readTable } from "./read-listing.ts";
import { Script } from "./script.ts";

describe("a script for nft", () => {
  it("contains the whole ruleset of a target", () => {
    const target = {
      name: "slow",
      enforcer: "nft",
      verdict: { kind: "throttle", packets: 10, per: MINUTE, burst: 5 },
      ports: [
        { first: 22, last: 22 },
        { first: 80, last: 90 },
      ],
      protocols: ["tcp"],
    } as const;
    const sets = [banSet("slow", "v4", null), banSet("slow", "v4", 24), banSet("slow", "v6", 48)];
    const script = new Script("stoplog");
    script.table();
    for (const set of sets) script.banSet(set, 100);
    for (const set of helperSetsOf([target])) script.helperSet(set);
    for (const chain of chainsOf([target], sets)) {
      script.chain(chain);
      script.rules(chain);
    }
    expect(script.text.split("\n")).toEqual([
      "add table inet stoplog",
      "add set inet stoplog slow_v4 { type ipv4_addr; flags timeout; size 100; }",
      "add set inet stoplog slow_v4_24 { type ipv4_addr; flags timeout; size 100; }",
      "add set inet stoplog slow_v6_48 { type ipv6_addr; flags timeout; size 100; }",
      "add set inet stoplog slow_port_numbers { type inet_service; flags interval; }",
      "add element inet stoplog slow_port_numbers { 22, 80-90 }",
      "add set inet stoplog slow_rate_4 { type ipv4_addr; flags dynamic,timeout; timeout 30s; size 65536; }",
      "add set inet stoplog slow_rate_6 { type ipv6_addr; flags dynamic,timeout; timeout 30s; size 65536; }",
      "add chain inet stoplog slow_verdict",
      "add rule inet stoplog slow_verdict meta nfproto ipv4 update @slow_rate_4 { ip saddr limit rate 10/minute burst 5 packets } counter return",
      "add rule inet stoplog slow_verdict meta nfproto ipv6 update @slow_rate_6 { ip6 saddr limit rate 10/minute burst 5 packets } counter return",
      "add rule inet stoplog slow_verdict counter drop",
      "add chain inet stoplog slow_ports",
      "add rule inet stoplog slow_ports meta l4proto 6 th dport @slow_port_numbers goto slow_verdict",
      "add chain inet stoplog slow_v4",
      "add rule inet stoplog slow_v4 ip saddr @slow_v4 goto slow_ports",
      "add rule inet stoplog slow_v4 ip saddr & 255.255.255.0 @slow_v4_24 goto slow_ports",
      "add chain inet stoplog slow_v6",
      "add rule inet stoplog slow_v6 ip6 saddr & ffff:ffff:ffff:: @slow_v6_48 goto slow_ports",
      "add chain inet stoplog prerouting { type filter hook prerouting priority -310; policy accept; }",
      "add rule inet stoplog prerouting meta nfproto ipv4 jump slow_v4",
      "add rule inet stoplog prerouting meta nfproto ipv6 jump slow_v6",
      "",
    ]);
  });

  it("adds, deletes and adds again, whatever the set contained", () => {
    const set = banSet("default", "v4", null);
    const script = new Script("stoplog");
    const at = (text: string, until: number) =>
      ({ set, change: { kind: "ban", prefix: prefix(text), target: "default", until } }) as const;
    script.elements(
      [
        at("192.0.2.1", 5000),
        at("192.0.2.2", FOREVER),
        { set, change: { kind: "unban", prefix: prefix("192.0.2.3"), target: "default" } },
      ],
      { now: 0, clock: () => 1000 },
    );
    expect(script.text.split("\n")).toEqual([
      "add element inet stoplog default_v4 { 192.0.2.1, 192.0.2.2 }",
      "delete element inet stoplog default_v4 { 192.0.2.1, 192.0.2.2 }",
      "add element inet stoplog default_v4 { 192.0.2.1 timeout 4020ms, 192.0.2.2 }",
      "add element inet stoplog default_v4 { 192.0.2.3 }",
      "delete element inet stoplog default_v4 { 192.0.2.3 }",
      "",
    ]);
  });
});

describe("what nft prints", () => {
  it("is reduced to its fact", () => {
    const process =
      "Error: Could not process rule: No such file or directory\nadd element inet x y { 1.2.3.4 }\n         ^\n";
    expect(firstFact(process)).toBe("No such file or directory");
    expect(firstFact("/dev/stdin:1:5-9: Error: syntax error, unexpected foo\n")).toBe(
      "syntax error, unexpected foo",
    );
    expect(firstFact("\n")).toBe("nft failed and did not say why");
  });

  it("lists the bans of a set, and skips unknown parts", () => {
    const json: unknown = JSON.parse(`{"nftables": [{"metainfo": {"version": "1.0.6"}}, 7, null,
      {"set": {"name": "default_v4_24", "type": "ipv4_addr", "flags": ["timeout"], "size": 9, "elem": [
        "192.0.2.0", {"elem": {"val": "198.51.100.0", "timeout": 60, "expires": 59}}, {"elem": {}}, 3, "no address"]}}]}`);
    expect(bansIn(json, banSet("default", "v4", 24), 1000)).toEqual([
      { prefix: prefix("192.0.2.0/24"), target: "default", until: FOREVER },
      { prefix: prefix("198.51.100.0/24"), target: "default", until: 61_000 },
    ]);
    expect(bansIn(null, banSet("default", "v4", 24), 1000)).toEqual([]);
  });

  it("lists the chains and sets of a table, and whether it is dormant", () => {
    const table = (flags: string): string =>
      [
        "table inet other {",
        "\tchain prerouting {",
        "\t}",
        "}",
        "table inet stoplog {",
        ...flags.split("|"),
        "\tset default_v4 {",
        "\t\ttype ipv4_addr",
        "\t\tsize 16",
        "\t\tflags timeout",
        "\t}",
        "",
        "\tchain input {",
        "\t\ttype filter hook prerouting priority raw - 10; policy accept;",
        "\t\tip saddr @default_v4 counter drop",
        "\t}",
        "}",
        "table inet stoplog-lists {",
        "}",
        "",
      ].join("\n");
    expect(readTable(table("\tflags "), "stoplog")).toMatchObject({
      isDormant: false,
      chains: ["input"],
      sets: [{ name: "default_v4", type: "ipv4_addr", flags: "timeout" }],
    });
    expect(readTable(table("\tflags dormant|"), "stoplog")?.isDormant).toBe(true);
    expect(readTable(table(""), "stoplog")?.text).not.toContain("other");
    expect(readTable(table(""), "nothing")).toBeNull();
    expect(readTable("", "stoplog")).toBeNull();
  });
});

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === null) throw new Error(`Cannot read ${text}`);
  return parsed;
}
