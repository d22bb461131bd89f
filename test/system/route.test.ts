import { describe, expect, it, onTestFinished } from "vitest";
import type { RouteTarget } from "../../src/enforce/route/kind.ts";
import { RouteEnforcer } from "../../src/enforce/route/enforcer.ts";
import { enforcerConformance } from "../conformance/enforcer.ts";
import { AttackedServer } from "../support/attacked-server.ts";
import { enterNamespace } from "../support/hosts.ts";
import { namespaceFault, titled } from "../support/namespace.ts";

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
    await enforcer.open([target("default")]);
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

describe.skipIf(fault !== null)(titled("blackhole routes with real packets", fault), () => {
  it.each(["blackhole", "unreachable", "prohibit"] as const)("block banned addresses: %s", async (type) => {
    const there = await AttackedServer.start();
    onTestFinished(() => there.close());
    const enforcer = new RouteEnforcer();
    await there.server.inside(() => enforcer.open([target("default", type)]));
    await there.expectKeptOut(enforcer, "default");
    await there.server.inside(() => enforcer.close({ flush: true }));
  });
});

function target(name: string, type: RouteTarget["type"] = "blackhole"): RouteTarget {
  return { name, enforcer: "route", type };
}
