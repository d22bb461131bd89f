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

  it("append a ban and delete an unban by its number, in one transaction", async () => {
    const enforcer = await opened();
    await enforcer.apply([ban("192.0.2.1"), ban("192.0.2.2")], 0);
    await enforcer.apply([{ ...ban("192.0.2.1"), kind: "unban" }, ban("2001:db8::1")], 0);
    expect(tables.v4.written.slice(1)).toEqual([
      [
        '-A stoplog-web -s 192.0.2.1 -m comment --comment "stoplog:0" -j DROP',
        '-A stoplog-web -s 192.0.2.2 -m comment --comment "stoplog:0" -j DROP',
      ],
      ["-D stoplog-web 1"],
    ]);
    expect(tables.v6.rulesOf("stoplog-web")).toEqual([
      '-s 2001:db8::1/128 -m comment --comment "stoplog:0" -j DROP',
    ]);
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

function target(name: string, options: Partial<IptablesTarget> = {}): IptablesTarget {
  const match = { verdict: { kind: "drop" }, ports: [], protocols: [] } as const;
  return { name, enforcer: "iptables", ...match, chain: "INPUT", interface: null, ...options };
}

function ban(text: string) {
  return { kind: "ban", prefix: parsePrefix(text) as Prefix, target: "web", until: FOREVER } as const;
}
