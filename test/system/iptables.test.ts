import { describe, expect, it, onTestFinished } from "vitest";
import { parsePrefix } from "../../src/core/prefix.ts";
import { FOREVER, HOUR } from "../../src/core/time.ts";
import type { Enforcement } from "../../src/enforce/enforcer.ts";
import type { IptablesTarget } from "../../src/enforce/iptables/kind.ts";
import { IptablesEnforcer } from "../../src/enforce/iptables/enforcer.ts";
import { enforcerConformance } from "../conformance/enforcer.ts";
import { AttackedServer } from "../support/attacked-server.ts";
import { enterNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";

const fault = namespaceFault() ?? (hasProgram("ip6tables-restore") ? null : "needs the programs of iptables");

describe.skipIf(fault !== null)(titled("rules of iptables", fault), () => {
  const namespace = enterNamespace("iptables");

  enforcerConformance("iptables", {
    make: () => new IptablesEnforcer(),
    outlives: true,
    bounded: false,
    tolerance: 1000,
    rounds: 6,
    targets: [
      target("default"),
      target("slow", { ports: [22, 80].map((port) => ({ first: port, last: port })), interface: "eth+" }),
      target("web", { verdict: { kind: "reject" }, protocols: ["tcp"] }),
    ],
  });

  it("name the address and the end of a ban, and a restart adds none", async () => {
    namespace.run("iptables", "-A", "INPUT", "-s", "203.0.113.1", "-j", "ACCEPT");
    const until = Math.ceil(Date.now() / 1000) * 1000 + HOUR;
    const ports = [
      { first: 22, last: 22 },
      { first: 1000, last: 2000 },
    ];
    for (let run = 0; run < 2; run++) {
      const enforcer = new IptablesEnforcer();
      await enforcer.open([target("a.very-long_name.of-a.target", { ports, interface: "eth+" })]);
      const bans = [ban("192.0.2.1", until), ban("198.51.100.0/24", FOREVER)];
      expect(await enforcer.replace(bans, Date.now())).toEqual([]);
      expect(namespace.run("iptables", "-S").trim().split("\n")).toEqual([
        "-P INPUT ACCEPT",
        "-P FORWARD ACCEPT",
        "-P OUTPUT ACCEPT",
        "-N stoplog-a.very-long-b0f648cb",
        "-A INPUT -i eth+ -p udp -m multiport --dports 22,1000:2000 -m comment --comment stoplog -j stoplog-a.very-long-b0f648cb",
        "-A INPUT -i eth+ -p tcp -m multiport --dports 22,1000:2000 -m comment --comment stoplog -j stoplog-a.very-long-b0f648cb",
        "-A INPUT -s 203.0.113.1/32 -j ACCEPT",
        `-A stoplog-a.very-long-b0f648cb -s 192.0.2.1/32 -m comment --comment "stoplog:${until / 1000}" -j DROP`,
        '-A stoplog-a.very-long-b0f648cb -s 198.51.100.0/24 -m comment --comment "stoplog:0" -j DROP',
      ]);
      await enforcer.close({ flush: run === 1 });
    }
    expect(namespace.run("iptables", "-S", "INPUT").trim().split("\n")).toEqual([
      "-P INPUT ACCEPT",
      "-A INPUT -s 203.0.113.1/32 -j ACCEPT",
    ]);
  });

  it("are reported missing after they are removed", async () => {
    const enforcer = new IptablesEnforcer();
    await enforcer.open([target("default")]);
    onTestFinished(() => enforcer.close({ flush: true }));
    namespace.run("iptables", "-F", "INPUT");
    expect(await enforcer.missing()).toBe("no rule of INPUT jumps to the chain stoplog-default");
    namespace.run("iptables", "-F");
    namespace.run("iptables", "-X");
    expect(await enforcer.missing()).toBe("the chain stoplog-default is gone");
  });

  it("are rewritten when another program changed them", async () => {
    const enforcer = new IptablesEnforcer();
    await enforcer.open([target("default")]);
    onTestFinished(() => enforcer.close({ flush: true }));
    const bans = [1, 2, 3].map((i) => ban(`192.0.2.${i}`, FOREVER, "default"));
    await enforcer.apply(bans, Date.now());
    namespace.run("iptables", "-F", "stoplog-default");
    const unban: Enforcement = { kind: "unban", prefix: (bans[1] as Enforcement).prefix, target: "default" };
    expect(await enforcer.apply([unban], Date.now())).toEqual([]);
    expect(namespace.run("iptables", "-S", "stoplog-default").match(/192\.0\.2\.\d/g)).toEqual([
      "192.0.2.1",
      "192.0.2.3",
    ]);
  });

  it("never exceed their limit; further bans are refused [limit: iptablesRules]", async () => {
    const enforcer = new IptablesEnforcer({ capacity: 2 });
    await enforcer.open([target("default")]);
    onTestFinished(() => enforcer.close({ flush: true }));
    const bans = [1, 2, 3].map((i) => ban(`192.0.2.${i}`, FOREVER, "default"));
    const refusals = await enforcer.apply(bans, Date.now());
    expect(refusals.map(({ fact }) => fact)).toEqual([
      "Cannot ban 192.0.2.3 at default: a chain of iptables holds at most 2 bans, because each packet passes every rule",
    ]);
    expect(await enforcer.list()).toHaveLength(2);
    // A longer ban of the same address is not new: it keeps its place in a full chain.
    const now = Date.now();
    const [, second, third] = bans as [Enforcement, Enforcement, Enforcement];
    const refused = await enforcer.apply([third, { ...second, until: now + HOUR } as Enforcement], now);
    expect(refused.map(({ prefix }) => prefix)).toEqual([third.prefix]);
    expect((await enforcer.list()).map(({ prefix }) => prefix)).toContainEqual(second.prefix);
  });

  it("of removed targets are deleted at the next start, and chains of others are kept", async () => {
    const first = new IptablesEnforcer();
    await first.open([target("default"), target("gone", { ports: [{ first: 22, last: 22 }] })]);
    await first.replace([ban("192.0.2.1", FOREVER, "gone"), ban("2001:db8::1", FOREVER, "gone")], Date.now());
    await first.close({ flush: false });
    for (const chain of ["stoplog-mine", "other"]) {
      namespace.run("iptables", "-N", chain);
      namespace.run("iptables", "-A", "INPUT", "-j", chain);
    }
    const second = new IptablesEnforcer();
    await second.open([target("default")]);
    const rules = namespace.run("iptables", "-S") + namespace.run("ip6tables", "-S");
    expect(rules).not.toContain("stoplog-gone");
    expect(rules).toContain("-j stoplog-default");
    expect(rules).toContain("-j stoplog-mine");
    await second.close({ flush: true });
    for (const chain of ["stoplog-mine", "other"]) {
      namespace.run("iptables", "-D", "INPUT", "-j", chain);
      namespace.run("iptables", "-X", chain);
    }
  });

  it("that iptables refuses are reported in its words", async () => {
    const enforcer = new IptablesEnforcer();
    await expect(enforcer.open([target("default", { chain: "NOWHERE" })])).rejects.toThrow(
      /^Cannot create the chain stoplog-default: /,
    );
  });
});

describe.skipIf(fault !== null)(titled("rules of iptables with real packets", fault), () => {
  it.each([
    ["drop", "silence"],
    ["reject", "ECONNREFUSED"],
  ] as const)("%s packets from banned addresses, on the target's ports only", async (kind, outcome) => {
    const there = await AttackedServer.start();
    onTestFinished(() => there.close());
    const enforcer = new IptablesEnforcer();
    const ssh = target("default", { verdict: { kind }, ports: [{ first: 22, last: 22 }] });
    await there.server.inside(() => enforcer.open([ssh]));
    await there.expectKeptOut(enforcer, "default", outcome);
    const prefix = ban("192.0.2.66", FOREVER).prefix;
    await there.server.inside(() =>
      enforcer.apply([{ kind: "ban", prefix, target: "default", until: FOREVER }], Date.now()),
    );
    expect([await there.reach(4, 22), await there.reach(4, 80)]).toEqual([outcome, "connected"]);
    await there.server.inside(() => enforcer.close({ flush: true }));
  });
});

function target(name: string, options: Partial<IptablesTarget> = {}): IptablesTarget {
  const match = { verdict: { kind: "drop" }, ports: [], protocols: [] } as const;
  return { name, enforcer: "iptables", ...match, chain: "INPUT", interface: null, ...options };
}

function ban(
  text: string,
  until: number,
  at = "a.very-long_name.of-a.target",
): Extract<Enforcement, { kind: "ban" }> {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`Cannot read ${text}`);
  return { kind: "ban", prefix, target: at, until };
}
