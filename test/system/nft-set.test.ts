import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { parsePrefix } from "../../src/core/prefix.ts";
import { FOREVER, HOUR, MINUTE } from "../../src/core/time.ts";
import type { Enforcement } from "../../src/enforce/enforcer.ts";
import type { NftSetName, NftSetTarget } from "../../src/enforce/nft-set/kind.ts";
import { NftSetEnforcer } from "../../src/enforce/nft-set/enforcer.ts";
import { enforcerConformance } from "../conformance/enforcer.ts";
import { AttackedServer } from "../support/attacked-server.ts";
import { enterNamespace } from "../support/hosts.ts";
import { hasProgram, Namespace, namespaceFault, titled } from "../support/namespace.ts";

const fault = namespaceFault() ?? (hasProgram("nft") ? null : "needs the nft program");
const NAMES = ["default", "slow", "web"] as const;

describe.skipIf(fault !== null)(titled("the operator's sets in nftables", fault), () => {
  const namespace = enterNamespace("nft-set");

  beforeAll(() => {
    const sets = (flags: string): string =>
      NAMES.flatMap((name) =>
        (["ipv4_addr", "ipv6_addr"] as const).map((type) => `set ${name}_${type} { type ${type}; ${flags} }`),
      ).join("\n");
    namespace.feed(
      `table inet plain { ${sets("flags timeout; timeout 1m;")}
       }
       table ip6 intervals { ${sets("flags interval, timeout; auto-merge;")}
       }
       table inet own {
         set blocked4 { type ipv4_addr; elements = { 203.0.113.1, 203.0.113.2 } }
         set networks4 { type ipv4_addr; flags interval; elements = { 203.0.113.0/24, 198.51.100.77 } }
         set small4 { type ipv4_addr; size 4; }
         set ports { type inet_service; }
         map verdicts { type ipv4_addr : verdict; }
         chain input {
           type filter hook input priority 0; ip saddr @blocked4 drop; ip saddr @networks4 drop;
         }
       }`,
      "nft",
      "-f",
      "-",
    );
  });

  for (const dialect of ["update", "replace"] as const) {
    const older = dialect === "update" ? "" : ", for older kernels";
    enforcerConformance(`nft-set with single addresses${older}`, {
      make: () => new NftSetEnforcer({ dialect }),
      outlives: false,
      bounded: false,
      tolerance: 10_000,
      rounds: 60,
      networks: false,
      targets: targetsIn("inet", "plain"),
    });

    enforcerConformance(`nft-set with intervals${older}`, {
      make: () => new NftSetEnforcer({ dialect }),
      outlives: false,
      bounded: false,
      tolerance: 10_000,
      rounds: 200,
      targets: targetsIn("ip6", "intervals"),
    });
  }

  it("keep the operator's elements and rules and lose only ours", async () => {
    const before = namespace.run("nft", "-s", "list", "table", "inet", "own");
    const enforcer = new NftSetEnforcer();
    await enforcer.open([target("default", "blocked4")], noLoss);
    await enforcer.replace([], 0);
    const now = Date.now();
    const bans = ["203.0.113.1", "192.0.2.1", "192.0.2.2"].map((text) => ban(text, now + HOUR));
    expect(await enforcer.apply(bans, now)).toEqual([]);
    // The operator's own element that is banned as well is among them.
    expect((await enforcer.list()).map(({ until }) => until)).toEqual([FOREVER, FOREVER, FOREVER]);
    const refused = await enforcer.apply(
      [ban("192.0.2.0/24", now + HOUR), ban("2001:db8::1", now + HOUR)],
      now,
    );
    expect(refused.map(({ fact }) => fact)).toEqual([
      "Cannot ban 192.0.2.0/24 at default: the set inet own blocked4 holds single addresses only",
      "Cannot ban 2001:db8::1 at default: its sets do not hold IPv6 addresses",
    ]);
    await enforcer.apply([unban("203.0.113.1"), unban("192.0.2.1")], now);
    const text = namespace.run("nft", "list", "set", "inet", "own", "blocked4");
    expect(text.match(/\d+\.\d+\.\d+\.\d+/g)?.toSorted()).toEqual([
      "192.0.2.2",
      "203.0.113.1",
      "203.0.113.2",
    ]);
    await enforcer.close({ flush: true });
    expect(namespace.run("nft", "-s", "list", "table", "inet", "own")).toBe(before);
  });

  it("with intervals are not split by ours", async () => {
    const before = namespace.run("nft", "-s", "list", "table", "inet", "own");
    const enforcer = new NftSetEnforcer();
    await enforcer.open([target("default", "networks4")], noLoss);
    onTestFinished(() => enforcer.close({ flush: false }));
    const now = Date.now();
    const overlap = (text: string) =>
      `Cannot ban ${text} at default: the set inet own networks4: an element that is not ours overlaps it`;
    const texts = ["203.0.113.5", "198.51.100.0/24", "192.0.2.0/24", "203.0.112.0/23", "255.255.255.255"];
    const refused = await enforcer.apply(
      texts.map((text) => ban(text, now + HOUR)),
      now,
    );
    expect(refused.map(({ fact }) => fact)).toEqual(
      ["203.0.113.5", "198.51.100.0/24", "203.0.112.0/23"].map(overlap),
    );
    expect(await enforcer.list()).toHaveLength(2);
    // A half of the operator's network must not be deleted.
    expect(await enforcer.apply([unban("203.0.113.0/25"), unban("203.0.113.0")], now)).toEqual([]);
    await enforcer.close({ flush: true });
    expect(namespace.run("nft", "-s", "list", "table", "inet", "own")).toBe(before);
  });

  it("with intervals are adopted from an earlier run", async () => {
    const before = namespace.run("nft", "-s", "list", "table", "inet", "own");
    const earlier = new NftSetEnforcer();
    await earlier.open([target("default", "networks4")], noLoss);
    const now = Date.now();
    const texts = ["10.0.0.0/8", "192.0.2.0/24", "192.0.2.255", "192.0.2.1", "2001:db8::/32"];
    const bans = texts.map((text) => ban(text, now + HOUR));
    expect(await earlier.apply(bans, now)).toHaveLength(1);
    await earlier.close({ flush: false });
    const enforcer = new NftSetEnforcer();
    await enforcer.open([target("default", "networks4")], noLoss);
    onTestFinished(() => enforcer.close({ flush: false }));
    // The ban of 10.0.0.0/8 has expired. The address is added before the network that contains it.
    const left = [
      ban("192.0.2.255", now + HOUR),
      ban("192.0.2.0/24", now + HOUR),
      ban("10.0.0.0/8", now - 1),
    ];
    expect(await enforcer.replace(left, now)).toEqual([]);
    expect(await enforcer.list()).toHaveLength(2);
    await enforcer.apply([unban("192.0.2.0/24")], now);
    const text = namespace.run("nft", "list", "set", "inet", "own", "networks4");
    expect(text).toContain("192.0.2.255");
    expect(text).not.toMatch(/192\.0\.2\.0\/24|10\.0\.0\.0/);
    await enforcer.close({ flush: true });
    expect(namespace.run("nft", "-s", "list", "table", "inet", "own")).toBe(before);
  });

  it("that are made again as another kind take bans again", async () => {
    const make = (kind: string): string => `add table inet again; add set inet again s { ${kind} }`;
    namespace.run("nft", make("type ipv4_addr; flags timeout;"));
    onTestFinished(() => void namespace.run("nft", "delete table inet again"));
    const enforcer = new NftSetEnforcer();
    const targets = [{ name: "default", enforcer: "nft-set" as const, sets: [AGAIN] }];
    await enforcer.open(targets, () => undefined);
    onTestFinished(() => enforcer.close({ flush: false }));
    const now = Date.now();
    const bans = { v4: ban("192.0.2.1", now + HOUR), v6: ban("2001:db8::1", now + HOUR) };
    await enforcer.apply([bans.v4], now);
    const kinds = [
      ["v4", "type ipv4_addr;"],
      ["v6", "type ipv6_addr; flags timeout;"],
      ["v4", "type ipv4_addr; flags timeout;"],
    ] as const;
    for (const [family, kind] of kinds) {
      namespace.run("nft", `delete set inet again s; ${make(kind)}`);
      await enforcer.open(targets, () => undefined);
      expect(await enforcer.replace([bans[family]], now)).toEqual([]);
      expect(await enforcer.list()).toMatchObject([{ prefix: bans[family].prefix }]);
    }
  });

  it("that are full name each ban that they refuse", async () => {
    const enforcer = new NftSetEnforcer();
    await enforcer.open([target("default", "small4")], noLoss);
    onTestFinished(() => enforcer.close({ flush: true }));
    const now = Date.now();
    const bans = Array.from({ length: 40 }, (_, i) => ban(`192.0.2.${i}`, FOREVER));
    const refused = await enforcer.apply(bans, now);
    expect(refused).toHaveLength(36);
    expect(refused[0]?.fact).toMatch(
      /^Cannot ban 192\.0\.2\.\d+ at default: the set inet own small4 is full$/,
    );
    expect(await enforcer.list()).toHaveLength(4);
  });

  it("hold a flood of bans and still notice changes by others", async () => {
    const lost: string[] = [];
    const enforcer = new NftSetEnforcer();
    await enforcer.open(targetsIn("inet", "plain").slice(0, 1), (fact) => lost.push(fact));
    const now = Date.now();
    for (let i = 0; i < 60; i++) {
      const bans = Array.from({ length: 1000 }, (_, j) => ban(`10.${i}.${j >> 8}.${j & 255}`, now + HOUR));
      await enforcer.apply(bans, now);
    }
    expect(await enforcer.list()).toHaveLength(60_000);
    namespace.run("nft", "delete element inet plain default_ipv4_addr { 10.0.0.1 }");
    await expect
      .poll(() => lost)
      .toEqual(["another program removed 10.0.0.1 from the set inet plain default_ipv4_addr"]);
    await enforcer.close({ flush: true });
    expect(namespace.run("nft", "list", "set", "inet", "plain", "default_ipv4_addr")).not.toContain("10.");
  });

  it("are reported missing after others flush or delete them, but not for elements of others", async () => {
    const lost: string[] = [];
    namespace.run("nft", "add table ip gone; add set ip gone s { type ipv4_addr; flags timeout; }");
    const sets: NftSetName[] = [{ family: "ip", table: "gone", set: "s" }];
    const gone: NftSetTarget = { name: "default", enforcer: "nft-set", sets };
    const enforcer = new NftSetEnforcer();
    const open = () => enforcer.open([gone], (fact) => lost.push(fact));
    await open();
    const now = Date.now();
    const bans = [ban("192.0.2.1", now + HOUR), ban("192.0.2.2", now + HOUR)];
    await enforcer.replace(bans, now);
    namespace.run("nft", "add element ip gone s { 203.0.113.1 }; delete element ip gone s { 203.0.113.1 }");
    namespace.run("nft", "delete element ip gone s { 192.0.2.2 }");
    await expect.poll(() => lost).toEqual(["another program removed 192.0.2.2 from the set ip gone s"]);
    await open();
    await enforcer.replace(bans, now);
    expect(await enforcer.list()).toHaveLength(2);
    namespace.run("nft", "flush set ip gone s");
    await expect.poll(() => lost.length).toBe(2);
    await open();
    await enforcer.replace(bans, now);
    expect(await enforcer.list()).toHaveLength(2);
    namespace.run("nft", "flush ruleset");
    await expect.poll(() => lost.at(-1)).toBe("another program deleted the set ip gone s");
    await expect(open()).rejects.toThrow("Cannot use the set ip gone s: it does not exist");
    const refused = await enforcer.apply([ban("192.0.2.3", now + HOUR)], now);
    expect(refused[0]?.fact).toMatch(/^Cannot ban 192\.0\.2\.3 at default: the set ip gone s: it is gone$/);
    await enforcer.close({ flush: false });
  });

  it("are reported while no rule looks them up or their table is dormant", async () => {
    namespace.run("nft", "add table inet idle; add set inet idle s { type ipv4_addr; }");
    const sets: NftSetName[] = [{ family: "inet", table: "idle", set: "s" }];
    const enforcer = new NftSetEnforcer();
    await enforcer.open([{ name: "default", enforcer: "nft-set", sets }], noLoss);
    const obstacles = async (): Promise<readonly string[]> => {
      expect(await enforcer.missing()).toBeNull();
      return enforcer.obstacles();
    };
    const unused = ["No rule looks up the set inet idle s: bans in it stop no packet"];
    expect(await obstacles()).toEqual(unused);
    namespace.run(
      "nft",
      "add chain inet idle c { type filter hook input priority 0; }; add rule inet idle c tcp dport 22 ip saddr @s drop",
    );
    await expect.poll(obstacles).toEqual([]);
    namespace.run("nft", "add table inet idle { flags dormant; }");
    await expect.poll(obstacles).toEqual(["The table inet idle is dormant: bans in its sets stop no packet"]);
    namespace.run("nft", "add table inet idle");
    await expect.poll(obstacles).toEqual([]);
    namespace.run("nft", "flush chain inet idle c");
    await expect.poll(obstacles).toEqual(unused);
    await enforcer.close({ flush: true });
  });
});

describe.skipIf(fault !== null)(titled("sets of other kinds", fault), () => {
  it.each([
    ["own", "none", "it does not exist"],
    ["own", "ports", "it is not of type ipv4_addr or ipv6_addr"],
    ["own", "verdicts", "it is a map"],
    ["own", "fixed", "it is constant"],
    ["nowhere", "x", "it does not exist"],
  ])("are refused with a reason: %s %s", async (table, set, fact) => {
    const namespace = Namespace.create("nft-kinds");
    onTestFinished(() => namespace.remove());
    namespace.run(
      "nft",
      `add table inet own; add set inet own ports { type inet_service; }; add map inet own verdicts { type ipv4_addr : verdict; }; add set inet own fixed { type ipv4_addr; flags constant; elements = { 192.0.2.1 }; }`,
    );
    const enforcer = new NftSetEnforcer();
    const sets: NftSetName[] = [{ family: "inet", table, set }];
    const opened = namespace.inside(() =>
      enforcer.open([{ name: "default", enforcer: "nft-set", sets }], noLoss),
    );
    await expect(opened).rejects.toThrow(`Cannot use the set inet ${table} ${set}: ${fact}`);
  });
});

describe.skipIf(fault !== null)(titled("the operator's sets with real packets", fault), () => {
  it.each(["flags timeout;", "", "flags interval;", "flags interval, timeout;"])(
    "drop packets from banned addresses: '%s'",
    async (flags) => {
      const there = await AttackedServer.start();
      onTestFinished(() => there.close());
      there.server.run(
        "nft",
        `add table inet f; add set inet f s4 { type ipv4_addr; ${flags} }; add set inet f s6 { type ipv6_addr; ${flags} }; add chain inet f input { type filter hook input priority 0; }; add rule inet f input ip saddr @s4 drop; add rule inet f input ip6 saddr @s6 drop`,
      );
      const enforcer = new NftSetEnforcer();
      const sets = (["s4", "s6"] as const).map((set) => ({ family: "inet" as const, table: "f", set }));
      await there.server.inside(() =>
        enforcer.open([{ name: "default", enforcer: "nft-set", sets }], noLoss),
      );
      await there.expectKeptOut(enforcer, "default");
      // The ban of an address stays when the network around it is unbanned.
      const now = Date.now();
      const apply = (...changes: Enforcement[]) => there.server.inside(() => enforcer.apply(changes, now));
      await apply(ban("192.0.2.64/29", now + MINUTE), ban("192.0.2.66", now + HOUR));
      await apply(unban("192.0.2.64/29"));
      expect(await there.reach(4)).toBe("silence");
      await there.server.inside(() => enforcer.close({ flush: true }));
      expect(await there.reach(4)).toBe("connected");
    },
  );
});

const AGAIN = { family: "inet", table: "again", set: "s" } as const;

function targetsIn(family: NftSetName["family"], table: string) {
  const [a, b, c] = NAMES.map((name): NftSetTarget => ({
    name,
    enforcer: "nft-set",
    sets: ["ipv4_addr", "ipv6_addr"].map((type) => ({ family, table, set: `${name}_${type}` })),
  }));
  return [a, b, c] as readonly [NftSetTarget, NftSetTarget, NftSetTarget];
}

function target(name: string, set: string): NftSetTarget {
  return { name, enforcer: "nft-set", sets: [{ family: "inet", table: "own", set }] };
}

function ban(text: string, until: number): Extract<Enforcement, { kind: "ban" }> {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`Cannot read ${text}`);
  return { kind: "ban", prefix, target: "default", until };
}

function unban(text: string): Enforcement {
  return { kind: "unban", prefix: ban(text, 0).prefix, target: "default" };
}

function noLoss(fact: string): void {
  throw new Error(fact);
}
