import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { parsePrefix } from "../../src/core/prefix.ts";
import { DAY, FOREVER, HOUR } from "../../src/core/time.ts";
import type { Enforcement } from "../../src/enforce/enforcer.ts";
import type { IpsetTarget } from "../../src/enforce/ipset/kind.ts";
import { IpsetEnforcer, type IpsetOptions } from "../../src/enforce/ipset/enforcer.ts";
import { KernelSets } from "../../src/enforce/ipset/kernel-sets.ts";
import { ProgramSets } from "../../src/enforce/ipset/program-sets.ts";
import { enforcerConformance } from "../conformance/enforcer.ts";
import { AttackedServer } from "../support/attacked-server.ts";
import { enterNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";

const fault =
  namespaceFault() ??
  (hasProgram("ip6tables-restore") ? null : "needs the programs of iptables") ??
  (hasProgram("ipset") ? null : "needs the program ipset");

describe.skipIf(fault !== null)(titled("sets of ipset", fault), () => {
  const namespace = enterNamespace("ipset");

  beforeAll(() => {
    for (const name of ["default", "slow", "web", "other"]) {
      namespace.run("ipset", "create", `${name}4`, "hash:net", "timeout", "60");
      namespace.run("ipset", "create", `${name}6`, "hash:net", "family", "inet6", "timeout", "0");
    }
  });

  const kernel = { outlives: true, bounded: true, tolerance: 2000, boundedSet: "stoplog-default:4" };
  const targets = [
    target("default"),
    target("slow", { ports: [22, 80].map((port) => ({ first: port, last: port })) }),
    target("web", { verdict: { kind: "reject" } }),
  ] as const;

  enforcerConformance("ipset", {
    ...kernel,
    make: (capacity = 1_000_000) => new IpsetEnforcer({ capacity }),
    rounds: 20,
    targets,
  });

  enforcerConformance("ipset by its program", {
    ...kernel,
    make: (capacity = 1_000_000) => new IpsetEnforcer({ capacity, openSets: () => new ProgramSets() }),
    tolerance: 10_000,
    rounds: 3,
    targets,
  });

  for (const [by, openSets] of [
    ["", () => new KernelSets()],
    [" by its program", () => new ProgramSets()],
  ] as const) {
    enforcerConformance(`ipset${by} with the administrator's sets`, {
      make: () => new IpsetEnforcer({ openSets }),
      outlives: false,
      bounded: false,
      tolerance: 10_000,
      rounds: by === "" ? 60 : 3,
      targets: [guest("default"), guest("slow"), guest("web")],
    });
  }

  it("have one rule beside the operator's, and a restart adds none", async () => {
    namespace.run("iptables", "-A", "INPUT", "-s", "203.0.113.1", "-j", "ACCEPT");
    onTestFinished(() => void namespace.run("iptables", "-F", "INPUT"));
    const ports = [
      { first: 22, last: 22 },
      { first: 1000, last: 2000 },
    ];
    for (let run = 0; run < 2; run++) {
      const enforcer = new IpsetEnforcer();
      const two = [target("a.very-long_name.of-a.target", { ports }), target("plain")];
      await enforcer.open(two);
      const now = Date.now();
      expect(await enforcer.replace([ban("192.0.2.1", now + HOUR, "plain")], now)).toEqual([]);
      expect(namespace.run("iptables", "-S", "INPUT").trim().split("\n")).toEqual([
        "-P INPUT ACCEPT",
        "-A INPUT -m set --match-set stoplog-plain src -m comment --comment stoplog -j DROP",
        "-A INPUT -p tcp -m multiport --dports 22,1000:2000 -m set --match-set stoplog-a.very-long-b0f648cb src -m comment --comment stoplog -j DROP",
        "-A INPUT -p udp -m multiport --dports 22,1000:2000 -m set --match-set stoplog-a.very-long-b0f648cb src -m comment --comment stoplog -j DROP",
        "-A INPUT -s 203.0.113.1/32 -j ACCEPT",
      ]);
      expect(namespace.run("ip6tables", "-S", "INPUT").match(/stoplog-plain/g)).toHaveLength(1);
      await enforcer.close({ flush: run === 1 });
    }
    expect(namespace.run("iptables", "-S", "INPUT").trim().split("\n")).toEqual([
      "-P INPUT ACCEPT",
      "-A INPUT -s 203.0.113.1/32 -j ACCEPT",
    ]);
    expect(namespace.run("ipset", "list", "-n")).not.toContain("stoplog-");
  });

  it("add no rule when the operator writes it", async () => {
    const enforcer = new IpsetEnforcer();
    await enforcer.open([target("default", { rule: false })]);
    expect(namespace.run("iptables", "-S", "INPUT")).not.toContain("stoplog");
    namespace.run(
      "iptables",
      "-A",
      "INPUT",
      "-m",
      "set",
      "--match-set",
      "stoplog-default",
      "src",
      "-j",
      "DROP",
    );
    await enforcer.apply([ban("192.0.2.1", FOREVER)], Date.now());
    // The operator's rule uses the list, so an empty list remains.
    await enforcer.close({ flush: true });
    expect(namespace.run("ipset", "save")).not.toContain("192.0.2.1");
    namespace.run("iptables", "-F", "INPUT");
    await expect.poll(() => namespace.run("sh", "-c", "ipset destroy stoplog-default 2>&1 || true")).toBe("");
    for (const end of ["4", "4n", "6", "6n"])
      namespace.run("sh", "-c", `ipset destroy stoplog-default:${end} || true`);
  });

  it.each([
    ["by messages", {}],
    ["by its program", { openSets: () => new ProgramSets() }],
  ] satisfies [string, IpsetOptions][])(
    "are reported missing after they are removed, %s",
    async (_by, options) => {
      const enforcer = new IpsetEnforcer(options);
      const open = () => enforcer.open([target("default")]);
      await open();
      onTestFinished(() => enforcer.close({ flush: true }));
      namespace.run("ipset", "flush", "stoplog-default:6n");
      expect(await enforcer.missing(Date.now())).toBe(
        "another program emptied or removed the set stoplog-default:6n",
      );
      namespace.run("ip6tables", "-F", "INPUT");
      await open();
      namespace.run("iptables", "-F", "INPUT");
      expect(await enforcer.missing(Date.now())).toBe(
        "a rule for the set stoplog-default is gone or was changed",
      );
      await open();
      expect(namespace.run("iptables", "-S", "INPUT")).toContain("--match-set stoplog-default src");
    },
  );

  it("expire by themselves; the book unbans those longer than ipset's maximum", async () => {
    const enforcer = new IpsetEnforcer();
    await enforcer.open([target("default")]);
    onTestFinished(() => enforcer.close({ flush: true }));
    const now = Date.now();
    const bans = [
      ban("192.0.2.1", now + 1000),
      ban("192.0.2.2", now + 30 * DAY),
      ban("192.0.2.0/24", now + DAY),
    ];
    expect(await enforcer.apply(bans, now)).toEqual([]);
    expect(namespace.run("ipset", "save", "stoplog-default:4")).toContain("192.0.2.2 timeout 0\n");
    await expect
      .poll(() => namespace.run("ipset", "save", "stoplog-default:4"), { timeout: 5000 })
      .not.toContain("192.0.2.1 ");
    expect(Date.now()).toBeGreaterThanOrEqual(now + 1000);
    const unbans = bans.map(({ prefix }): Enforcement => ({ kind: "unban", prefix, target: "default" }));
    expect(await enforcer.apply(unbans, now)).toEqual([]);
    expect(await enforcer.list()).toEqual([]);
  });

  it("refuse what ipset cannot hold, with a reason", async () => {
    const enforcer = new IpsetEnforcer();
    await enforcer.open([target("default")]);
    onTestFinished(() => enforcer.close({ flush: true }));
    const refusals = await enforcer.apply(
      ["0.0.0.0/0", "0.0.0.0", "255.255.255.255", "192.0.2.1"].map((text) => ban(text, FOREVER)),
      0,
    );
    expect(refusals.map(({ fact }) => fact)).toEqual([
      "Cannot ban 0.0.0.0/0 at default: ipset does not support networks of that length",
      "Cannot ban 0.0.0.0 at default: the set stoplog-default:4: ipset does not support that address",
    ]);
    expect(await enforcer.list()).toHaveLength(1);
    namespace.run("ipset", "create", "stoplog-taken", "hash:ip");
    await expect(enforcer.open([target("taken")])).rejects.toThrow(
      "Cannot use the set stoplog-taken: Stoplog did not create it",
    );
    namespace.run("ipset", "destroy", "stoplog-taken");
  });

  it("of the operator that were swapped with another kind take bans again", async () => {
    namespace.run("ipset", "create", "swapped4", "hash:ip", "timeout", "0");
    const enforcer = new IpsetEnforcer();
    const open = () => enforcer.open([target("default", { sets: ["swapped4"] })]);
    await open();
    onTestFinished(() => enforcer.close({ flush: false }));
    const now = Date.now();
    const bans = [ban("192.0.2.1", now + HOUR)];
    expect(await enforcer.replace(bans, now)).toEqual([]);
    namespace.run("ipset", "create", "without4", "hash:ip");
    namespace.run("ipset", "swap", "swapped4", "without4");
    await open();
    expect(await enforcer.replace(bans, now)).toEqual([]);
    expect(await enforcer.list()).toMatchObject([{ prefix: bans[0]?.prefix, until: FOREVER }]);
    namespace.run("ipset", "swap", "swapped4", "without4");
    await open();
    expect(await enforcer.replace(bans, now)).toEqual([]);
    expect(await enforcer.list()).toMatchObject([{ prefix: bans[0]?.prefix }]);
  });

  it("of the operator keep the operator's elements and lose only ours", async () => {
    namespace.run("ipset", "create", "plain4", "hash:ip");
    namespace.run("ipset", "add", "plain4", "203.0.113.1");
    namespace.run("ipset", "add", "plain4", "203.0.113.2");
    const enforcer = new IpsetEnforcer();
    const open = () => enforcer.open([target("default", { sets: ["plain4"] })]);
    await open();
    await enforcer.replace([], 0);
    const now = Date.now();
    const bans = ["203.0.113.1", "192.0.2.1", "192.0.2.2"].map((text) => ban(text, now + HOUR));
    expect(await enforcer.apply(bans, now)).toEqual([]);
    const refused = await enforcer.apply(
      [ban("192.0.2.0/24", now + HOUR), ban("2001:db8::1", now + HOUR)],
      now,
    );
    expect(refused.map(({ fact }) => fact)).toEqual([
      "Cannot ban 192.0.2.0/24 at default: the set plain4 holds single addresses only",
      "Cannot ban 2001:db8::1 at default: its sets do not hold IPv6 addresses",
    ]);
    await enforcer.apply([unban("203.0.113.1"), unban("192.0.2.1"), unban("192.0.2.9")], now);
    expect(elements()).toEqual(["192.0.2.2", "203.0.113.1", "203.0.113.2"]);
    expect(await enforcer.list()).toEqual([{ ...bans[2], kind: undefined, until: FOREVER }]);
    namespace.run("ipset", "flush", "plain4");
    expect(await enforcer.missing(Date.now())).toBe("another program removed elements from the set plain4");
    await open();
    await enforcer.replace([bans[2] as Enforcement], now);
    expect(elements()).toEqual(["192.0.2.2"]);
    namespace.run("ipset", "add", "plain4", "203.0.113.1");
    await enforcer.close({ flush: true });
    expect(elements()).toEqual(["203.0.113.1"]);
    namespace.run("ipset", "destroy", "plain4");
    await expect(open()).rejects.toThrow("Cannot use the set plain4: it does not exist");
    namespace.run("ipset", "create", "plain4", "hash:ip,port");
    await expect(open()).rejects.toThrow("it is of type hash:ip,port, not hash:ip or hash:net");

    function elements(): readonly string[] {
      return [...namespace.run("ipset", "save", "plain4").matchAll(/^add plain4 (\S+)/gm)]
        .map(([, e]) => e ?? "")
        .toSorted();
    }
  });
});

describe.skipIf(fault !== null)(titled("sets of ipset with real packets", fault), () => {
  it.each([
    ["drop", "silence"],
    ["reject", "ECONNREFUSED"],
  ] as const)("%s packets from banned addresses, on the target's ports only", async (kind, outcome) => {
    const there = await AttackedServer.start();
    onTestFinished(() => there.close());
    const enforcer = new IpsetEnforcer();
    const ssh = target("default", { verdict: { kind }, ports: [{ first: 22, last: 22 }] });
    await there.server.inside(() => enforcer.open([ssh]));
    await there.expectKeptOut(enforcer, "default", outcome);
    await there.server.inside(() => enforcer.apply([ban("192.0.2.66", FOREVER)], Date.now()));
    expect([await there.reach(4, 22), await there.reach(4, 80)]).toEqual([outcome, "connected"]);
    await there.server.inside(() => enforcer.replace([ban("192.0.2.66", FOREVER)], Date.now()));
    expect(await there.reach(4, 22)).toBe(outcome);
    await there.server.inside(() => enforcer.close({ flush: true }));
    expect(await there.reach(4, 22)).toBe("connected");
  });
});

function target(name: string, options: Partial<IpsetTarget> = {}): IpsetTarget {
  const match = { verdict: { kind: "drop" }, ports: [], protocols: [] } as const;
  return { name, enforcer: "ipset", ...match, sets: [], chain: "INPUT", rule: true, ...options };
}

function guest(name: string): IpsetTarget {
  return target(name, { sets: [`${name}4`, `${name}6`] });
}

function ban(text: string, until: number, at = "default"): Extract<Enforcement, { kind: "ban" }> {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`Cannot read ${text}`);
  return { kind: "ban", prefix, target: at, until };
}

function unban(text: string): Enforcement {
  return { kind: "unban", prefix: ban(text, 0).prefix, target: "default" };
}
