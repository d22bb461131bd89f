import { describe, expect, it, onTestFinished } from "vitest";
import { parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import { FOREVER } from "../../src/core/time.ts";
import type { RouteTarget } from "../../src/enforce/route/kind.ts";
import { RouteEnforcer } from "../../src/enforce/route/enforcer.ts";
import { enforcerConformance } from "../conformance/enforcer.ts";
import { AttackedServer } from "../support/attacked-server.ts";
import { enterNamespace } from "../support/hosts.ts";
import { namespaceFault, titled } from "../support/namespace.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault();

describe.skipIf(fault !== null)(titled("blackhole routes", fault), () => {
  const namespace = enterNamespace("route");

  enforcerConformance("route", {
    make: () => new RouteEnforcer(),
    outlives: true,
    bounded: false,
    tolerance: 0,
    rounds: 60,
    targets: [target("default"), target("slow", "prohibit"), target("web", "unreachable")],
    knowsEnds: false,
    change: (same) => same,
  });

  it("keep the operator's own routes", async () => {
    const own = ["192.0.2.1", "198.51.100.0/24"].map((to) => ["ip", "route", "add", "blackhole", to]);
    for (const words of own) namespace.run(words[0] as string, ...words.slice(1));
    const before = namespace.run("ip", "route", "show");
    const enforcer = new RouteEnforcer();
    await enforcer.open([target("default")], () => undefined);
    const prefix = { address: { w0: 0, w1: 0, w2: 0xffff, w3: 0xc0000201 | 0 }, length: 32 };
    const now = Date.now();
    expect(
      await enforcer.apply([{ kind: "ban", prefix, target: "default", until: now + 1000 }], now),
    ).toEqual([]);
    expect(namespace.run("ip", "route", "show")).not.toBe(before);
    await enforcer.close({ flush: true });
    expect(namespace.run("ip", "route", "show")).toBe(before);
  });
});

describe.skipIf(fault !== null)(titled("blackhole routes that another program deletes", fault), () => {
  const namespace = enterNamespace("route-loss");

  it.each(["192.0.2.1", "2001:db8::1"])("are reported, ours only: %s", async (text) => {
    const family = text.includes(":") ? "-6" : "-4";
    const lost: string[] = [];
    const enforcer = new RouteEnforcer();
    await enforcer.open([target("default")], (fact) => lost.push(fact));
    onTestFinished(() => enforcer.close({ flush: true }));
    const ban = (host: string) =>
      ({ kind: "ban", prefix: parsePrefix(host) as Prefix, target: "default", until: FOREVER }) as const;
    const other = text.replace(/1$/, "2");
    const mine = text.replace(/1$/, "3");
    await enforcer.replace([ban(text), ban(other)], 0);
    await enforcer.apply([{ ...ban(other), kind: "unban" }], 0);
    namespace.run("ip", family, "route", "add", "blackhole", mine);
    namespace.run("ip", family, "route", "del", "blackhole", mine);
    namespace.run("ip", family, "route", "flush", "proto", "83");
    await until("the loss is reported", () => lost.length > 0);
    expect(lost).toEqual(["another program deleted a route of a ban"]);
  });
});

describe.skipIf(fault !== null)(titled("blackhole routes with real packets", fault), () => {
  it.each(["blackhole", "unreachable", "prohibit"] as const)("block banned addresses: %s", async (type) => {
    const there = await AttackedServer.start();
    onTestFinished(() => there.close());
    const enforcer = new RouteEnforcer();
    await there.server.inside(() => enforcer.open([target("default", type)], () => undefined));
    await there.expectKeptOut(enforcer, "default");
    await there.server.inside(() => enforcer.close({ flush: true }));
  });
});

function target(name: string, type: RouteTarget["type"] = "blackhole"): RouteTarget {
  return { name, enforcer: "route", type };
}
