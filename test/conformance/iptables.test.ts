import { describe, expect, it } from "vitest";
import { parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import { FOREVER } from "../../src/core/time.ts";
import { IptablesEnforcer } from "../../src/enforce/iptables/enforcer.ts";
import type { IptablesTarget } from "../../src/enforce/iptables/kind.ts";
import { FakeTables } from "../support/fake-tables.ts";
import { enforcerConformance } from "./enforcer.ts";

// The same suite runs against the real programs in test/system/iptables.test.ts.
let tables = { v4: new FakeTables(), v6: new FakeTables() };
enforcerConformance("iptables over tables in memory", {
  make: () => new IptablesEnforcer({ tables }),
  outlives: true,
  bounded: false,
  tolerance: 1000,
  rounds: 100,
  targets: [
    target("default"),
    target("slow", { ports: [22, 80].map((port) => ({ first: port, last: port })), interface: "eth+" }),
    target("web", { verdict: { kind: "reject" }, protocols: ["tcp"] }),
  ],
});

describe("the lines for iptables-restore", () => {
  const opened = async (options: Partial<IptablesTarget> = {}): Promise<IptablesEnforcer> => {
    tables = { v4: new FakeTables(), v6: new FakeTables() };
    const enforcer = new IptablesEnforcer({ tables });
    await enforcer.open([target("web", options)]);
    return enforcer;
  };

  it("make the chain and the rules that lead to it", async () => {
    await opened({ ports: [{ first: 80, last: 90 }], interface: "eth0", verdict: { kind: "reject" } });
    expect(tables.v4.written).toEqual([
      [
        ":stoplog.reject - [0:0]",
        "-A stoplog.reject -p tcp -j REJECT --reject-with tcp-reset",
        "-A stoplog.reject -j REJECT",
        ":stoplog-web - [0:0]",
        "-I INPUT 1 -i eth0 -p tcp -m multiport --dports 80:90 -m comment --comment stoplog -j stoplog-web",
        "-I INPUT 1 -i eth0 -p udp -m multiport --dports 80:90 -m comment --comment stoplog -j stoplog-web",
        ":stoplog-web - [0:0]",
      ],
    ]);
  });

  it("append a ban and delete an unban by its text, in one transaction", async () => {
    const enforcer = await opened();
    await enforcer.apply([ban("192.0.2.1"), ban("192.0.2.2")], 0);
    await enforcer.apply([{ ...ban("192.0.2.1"), kind: "unban" }, ban("2001:db8::1")], 0);
    expect(tables.v4.written.slice(1)).toEqual([
      [
        '-A stoplog-web -s 192.0.2.1 -m comment --comment "stoplog:0" -j DROP',
        '-A stoplog-web -s 192.0.2.2 -m comment --comment "stoplog:0" -j DROP',
      ],
      ['-D stoplog-web -s 192.0.2.1 -m comment --comment "stoplog:0" -j DROP'],
    ]);
    expect(tables.v6.rulesOf("stoplog-web")).toEqual([
      '-s 2001:db8::1/128 -m comment --comment "stoplog:0" -j DROP',
    ]);
  });

  it("never unban another address after another program moved the rules", async () => {
    const enforcer = await opened();
    await enforcer.apply(
      [1, 2, 3].map((i) => ban(`192.0.2.${i}`)),
      0,
    );
    const rules = tables.v4.rulesOf("stoplog-web") ?? [];
    await tables.v4.restore([
      ":stoplog-web - [0:0]",
      ...rules.toReversed().map((rule) => `-A stoplog-web ${rule}`),
    ]);
    await enforcer.apply([{ ...ban("192.0.2.1"), kind: "unban" }], 0);
    expect(addressesIn(tables.v4)).toEqual(["192.0.2.2", "192.0.2.3"]);
    await tables.v4.restore(["-D stoplog-web 1"]);
    await enforcer.apply([{ ...ban("192.0.2.3"), kind: "unban" }], 0);
    expect(addressesIn(tables.v4)).toEqual(["192.0.2.2"]);
  });

  it("write the chain again where many rules are deleted: each deletion would compare all rules", async () => {
    const enforcer = await opened();
    const many = Array.from({ length: 40 }, (_, i) => ban(`192.0.2.${i}`));
    await enforcer.apply(many, 0);
    await enforcer.apply(
      many.slice(1).map((one) => ({ ...one, kind: "unban" as const })),
      0,
    );
    expect(tables.v4.written.at(-1)).toEqual([
      ":stoplog-web - [0:0]",
      '-A stoplog-web -s 192.0.2.0 -m comment --comment "stoplog:0" -j DROP',
    ]);
  });

  it.each([
    [
      "a rule in the chain is deleted",
      ["-D stoplog-web 1"],
      "another program changed the rules of the chain stoplog-web",
    ],
    [
      "a rule in the chain is added",
      ["-I stoplog-web 1 -j ACCEPT"],
      "another program changed the rules of the chain stoplog-web",
    ],
    [
      "the chain is flushed",
      ["-F stoplog-web"],
      "another program changed the rules of the chain stoplog-web",
    ],
    ["a jump is deleted", ["-D INPUT 1"], "another program changed the rules around the chain stoplog-web"],
    ["all jumps are deleted", ["-F INPUT"], "no rule of INPUT jumps to the chain stoplog-web"],
    [
      "the chain of rejections is flushed",
      ["-F stoplog.reject"],
      "another program changed the rules around the chain stoplog-web",
    ],
    ["the operator adds a rule of another kind", ["-A INPUT -j DROP"], null],
  ])("are missed when %s, and made again", async (_, lines, fact) => {
    const options = { ports: [{ first: 80, last: 90 }], verdict: { kind: "reject" } } as const;
    const enforcer = await opened(options);
    await enforcer.apply([ban("192.0.2.1"), ban("192.0.2.2")], 0);
    expect(await enforcer.missing()).toBeNull();
    expect(await tables.v4.restore(lines)).toBeNull();
    expect(await enforcer.missing()).toBe(fact);
    await enforcer.open([target("web", options)]);
    await enforcer.replace([ban("192.0.2.1"), ban("192.0.2.2")], 0);
    expect(await enforcer.missing()).toBeNull();
    expect(addressesIn(tables.v4)).toEqual(["192.0.2.1", "192.0.2.2"]);
  });

  it("report rules that accept packets before they come to the bans", async () => {
    const enforcer = await opened({ ports: [{ first: 80, last: 90 }] });
    const said = async (rule: string): Promise<readonly string[]> => {
      await tables.v4.restore([`-I INPUT 1 ${rule}`]);
      await enforcer.missing();
      await tables.v4.restore(["-D INPUT 1"]);
      return enforcer.obstacles();
    };
    const sentence = (rule: string): string =>
      `Packets of banned addresses pass: in iptables' chain INPUT the rule '${rule}' comes before the jump to stoplog-web`;
    for (const rule of [
      "-j ACCEPT",
      "-p tcp -m tcp --dport 80 -j ACCEPT",
      "-p tcp -m multiport --dports 22,85:99 -j ACCEPT",
      "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "! -s 10.0.0.0/8 -j ACCEPT",
      "-j RETURN",
    ])
      expect(await said(rule)).toEqual([sentence(rule)]);
    for (const rule of [
      "-s 10.0.0.0/8 -j ACCEPT",
      "-i lo -j ACCEPT",
      "-p tcp -m tcp --dport 22 -j ACCEPT",
      "-p ipv6-icmp -j ACCEPT",
      "-m set --match-set friends src -j ACCEPT",
      "-j LOG",
      "-j DROP",
    ])
      expect(await said(rule)).toEqual([]);
    await tables.v4.restore([":mine - [0:0]", "-A mine -j LOG", "-A mine -j ACCEPT", "-I INPUT 1 -j mine"]);
    await enforcer.missing();
    expect(enforcer.obstacles()).toEqual([sentence("-j ACCEPT").replace("INPUT", "mine")]);
  });

  it("delete only what Stoplog made", async () => {
    const enforcer = await opened();
    await tables.v4.restore(["-A INPUT -s 203.0.113.1 -j ACCEPT"]);
    await enforcer.close({ flush: true });
    expect(await tables.v4.save()).toBe(
      "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A INPUT -s 203.0.113.1/32 -j ACCEPT\nCOMMIT\n",
    );
  });
});

function addressesIn(table: FakeTables): readonly string[] {
  return (table.rulesOf("stoplog-web") ?? [])
    .flatMap((rule) => /^-s ([^/]+)/.exec(rule)?.[1] ?? [])
    .toSorted();
}

function target(name: string, options: Partial<IptablesTarget> = {}): IptablesTarget {
  const match = { verdict: { kind: "drop" }, ports: [], protocols: [] } as const;
  return { name, enforcer: "iptables", ...match, chain: "INPUT", interface: null, ...options };
}

function ban(text: string) {
  return { kind: "ban", prefix: parsePrefix(text) as Prefix, target: "web", until: FOREVER } as const;
}
