import { beforeEach, describe, expect, it } from "vitest";
import { parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import { HOUR } from "../../src/core/time.ts";
import { IpsetEnforcer } from "../../src/enforce/ipset/enforcer.ts";
import type { IpsetTarget } from "../../src/enforce/ipset/kind.ts";
import { FakeSets } from "../support/fake-sets.ts";
import { FakeTables } from "../support/fake-tables.ts";
import { enforcerConformance } from "./enforcer.ts";

// The same suite runs against the real kernel in test/system/ipset.test.ts.
let kernel = FakeSets.kernel();
let tables = { v4: new FakeTables(), v6: new FakeTables() };
const openSets = () => new FakeSets(kernel);

enforcerConformance("ipset over sets in memory", {
  make: (capacity = 1000_000) => new IpsetEnforcer({ capacity, tables, openSets }),
  outlives: true,
  bounded: true,
  tolerance: 10_000,
  rounds: 100,
  boundedSet: "stoplog-default:4",
  targets: [target("default"), target("slow"), target("web", { verdict: { kind: "reject" } })],
});

describe("with the operator's sets", () => {
  beforeEach(async () => {
    const sets = openSets();
    for (const name of ["default", "slow", "web", "other"]) {
      for (const family of ["v4", "v6"] as const) {
        const set = { name: `${name}-${family}`, type: "hash:net", family } as const;
        if ((await sets.find(set.name)) === null)
          await sets.create({ ...set, capacity: 1000_000, buckets: 1024 });
      }
    }
  });

  enforcerConformance("ipset over sets in memory", {
    make: () => new IpsetEnforcer({ tables, openSets }),
    outlives: false,
    bounded: false,
    tolerance: 10_000,
    rounds: 100,
    targets: [guest("default"), guest("slow"), guest("web")],
  });
});

describe("the sets and rules of a target", () => {
  beforeEach(() => {
    kernel = FakeSets.kernel();
    tables = { v4: new FakeTables(), v6: new FakeTables() };
  });

  it("are four sets in a list, and one rule at the head of the chain", async () => {
    const enforcer = new IpsetEnforcer({ tables, openSets });
    await enforcer.open([target("default", { ports: [{ first: 22, last: 22 }], protocols: ["tcp"] })]);
    expect([...kernel.keys()]).toEqual([
      "stoplog-default",
      "stoplog-default:4",
      "stoplog-default:4n",
      "stoplog-default:6",
      "stoplog-default:6n",
    ]);
    expect(tables.v4.rulesOf("INPUT")).toEqual([
      "-p tcp -m multiport --dports 22 -m set --match-set stoplog-default src -m comment --comment stoplog -j DROP",
    ]);
    await enforcer.close({ flush: true });
    expect([[...kernel.keys()], tables.v4.rulesOf("INPUT"), tables.v6.rulesOf("INPUT")]).toEqual([
      [],
      [],
      [],
    ]);
  });

  it.each<[string, () => unknown, string]>([
    [
      "a set is flushed",
      () => openSets().flush("stoplog-default:4"),
      "emptied or removed the set stoplog-default:4",
    ],
    [
      "the list is flushed",
      () => openSets().flush("stoplog-default"),
      "emptied or removed the set stoplog-default",
    ],
    [
      "a set is destroyed",
      () => kernel.delete("stoplog-default:6n"),
      "emptied or removed the set stoplog-default:6n",
    ],
    [
      "a rule is deleted",
      () => tables.v6.restore(["-F INPUT"]),
      "a rule for the set stoplog-default is gone",
    ],
    [
      "the chain of rejections is flushed",
      () => tables.v4.restore(["-F stoplog.reject"]),
      "a rule for the set",
    ],
    [
      "its rule is negated",
      () =>
        tables.v4.restore([
          "-F INPUT",
          "-A INPUT -m set ! --match-set stoplog-default src -m comment --comment stoplog -j stoplog.reject",
        ]),
      "a rule for the set",
    ],
  ])("are reported missing when %s, and made again", async (_, harm, fact) => {
    const enforcer = new IpsetEnforcer({ tables, openSets });
    const targets = [target("default", { verdict: { kind: "reject" } })];
    const bans = ["192.0.2.1", "2001:db8::/64"].map((text) => ({
      kind: "ban" as const,
      target: "default",
      until: Date.now() + HOUR,
      prefix: prefix(text),
    }));
    await enforcer.open(targets);
    await enforcer.replace(bans, Date.now());
    expect(await enforcer.missing(0)).toBeNull();
    await harm();
    expect(await enforcer.missing(0)).toContain(fact);
    await enforcer.open(targets);
    await enforcer.replace(bans, Date.now());
    expect(await enforcer.missing(0)).toBeNull();
    expect(await enforcer.count()).toBe(2);
  });

  it("are counted: one that another program deleted is missed", async () => {
    const enforcer = new IpsetEnforcer({ tables, openSets });
    await enforcer.open([target("default")]);
    const until = Date.now() + HOUR;
    const bans = ["192.0.2.1", "192.0.2.2"].map((text) => ({
      kind: "ban" as const,
      target: "default",
      until,
      prefix: prefix(text),
    }));
    await enforcer.apply(bans, Date.now());
    expect(await enforcer.count()).toBe(2);
    await openSets().change([
      { set: "stoplog-default:4", kind: "delete", prefix: prefix("192.0.2.1"), seconds: null },
    ]);
    expect(await enforcer.count()).toBe(1);
  });

  it("report rules that accept packets before they come to the bans", async () => {
    const enforcer = new IpsetEnforcer({ tables, openSets });
    await enforcer.open([target("default")]);
    await tables.v4.restore(["-I INPUT 1 -p tcp -m tcp --dport 22 -j ACCEPT"]);
    expect(await enforcer.missing(0)).toBeNull();
    expect(enforcer.obstacles()).toEqual([
      "Packets of banned addresses pass: in iptables' chain INPUT the rule '-p tcp -m tcp --dport 22 -j ACCEPT' comes before the rule for the set stoplog-default",
    ]);
  });

  it("leave the operator's elements in the operator's sets", async () => {
    const sets = openSets();
    const set = { name: "theirs4", type: "hash:net", family: "v4" } as const;
    await sets.create({ ...set, capacity: 100, buckets: 1024 });
    await sets.change([{ set: "theirs4", kind: "add", prefix: prefix("203.0.113.1"), seconds: 0 }]);
    const enforcer = new IpsetEnforcer({ tables, openSets });
    await enforcer.open([target("default", { sets: ["theirs4"] })]);
    await enforcer.replace([], Date.now());
    const ban = { kind: "ban", target: "default", until: Date.now() + HOUR } as const;
    const refused = await enforcer.apply(
      ["203.0.113.1", "192.0.2.1", "2001:db8::1"].map((text) => ({ ...ban, prefix: prefix(text) })),
      Date.now(),
    );
    expect(refused.map(({ fact }) => fact)).toEqual([
      "Cannot ban 2001:db8::1 at default: its sets do not hold IPv6 addresses",
    ]);
    expect([...(kernel.get("theirs4")?.elements.keys() ?? [])]).toEqual(["203.0.113.1", "192.0.2.1"]);
    await enforcer.close({ flush: true });
    expect([...(kernel.get("theirs4")?.elements.keys() ?? [])]).toEqual(["203.0.113.1"]);
  });
});

function target(name: string, options: Partial<IpsetTarget> = {}): IpsetTarget {
  const match = { verdict: { kind: "drop" }, ports: [], protocols: [] } as const;
  return { name, enforcer: "ipset", ...match, sets: [], chain: "INPUT", rule: true, ...options };
}

function guest(name: string): IpsetTarget {
  return target(name, { sets: [`${name}-v4`, `${name}-v6`] });
}

function prefix(text: string): Prefix {
  return parsePrefix(text) as Prefix;
}
