import { describe, expect, it } from "vitest";
import { AUTH, good, jail, read } from "../../test/support/read-config-text.ts";

const kinds = (text: string): readonly string[] =>
  good(text).targets.flatMap(({ name, enforcers }) => enforcers.map(({ enforcer }) => `${name} ${enforcer}`));

describe("several targets", () => {
  it("refuses an enforcer twice in one target where one of the two would have no effect", () => {
    for (const way of [
      "{}",
      "{ enforcer: iptables }",
      "{ enforcer: recent, list: A }",
      "{ enforcer: hosts.deny }",
      "{ enforcer: route }",
      "{ enforcer: command, ban: [a], unban: [b] }",
    ])
      expect(read(`targets: { twice: [${way}, ${way}] }\n`).errors).toEqual([
        expect.stringContaining("can be in the list only once"),
      ]);
    expect(
      kinds("targets: { both: [{ enforcer: ipset, ports: 22 }, { enforcer: ipset, ports: 80 }] }\n"),
    ).toEqual(["default nftables", "both ipset", "both ipset"]);
  });

  it("uses nft for the default target when another target uses it: both write one table", () => {
    expect(kinds("targets: { slow: { enforcer: nft } }\n")).toEqual(["default nft", "slow nft"]);
    expect(read("targets: { default: {}, slow: { enforcer: nft } }\n").errors).toEqual([
      expect.stringContaining("enforcers nftables and nft both write the table inet stoplog"),
    ]);
  });

  it("adds the target throttle when the bans of an origin go there", () => {
    expect(
      good(`${AUTH}origins: { scorer: { target: throttle } }\n`).targets.map(({ name }) => name),
    ).toEqual(["default", "throttle"]);
    expect(good(jail()).targets.map(({ name }) => name)).toEqual(["default"]);
  });

  it("refuses origins with the names of built-in origins", () => {
    const sources = "sources: { in: { type: stdin, orders: true, origin: local } }\n";
    expect(read(sources).errors).toEqual([expect.stringContaining("origin local: the name is reserved")]);
    const token = `api: { listen: 127.0.0.1:0, tokens: { operator: { sha256: ${"0".repeat(64)} } } }\n`;
    expect(read(token).errors).toEqual([expect.stringContaining("origin operator: the name is reserved")]);
    expect(read("origins: { restored: {} }\n").errors).toHaveLength(1);
  });
});
