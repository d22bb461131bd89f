import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { HOUR, MINUTE } from "../../src/core/time.ts";
import { parsePrefix } from "../../src/core/prefix.ts";
import type { Enforcement } from "../../src/enforce/enforcer.ts";
import type { RecentTarget } from "../../src/enforce/recent/kind.ts";
import { RecentEnforcer } from "../../src/enforce/recent/enforcer.ts";
import { recentRules } from "../../src/enforce/recent/rules.ts";
import { enforcerConformance } from "../conformance/enforcer.ts";
import { AttackedServer } from "../support/attacked-server.ts";
import { enterNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";

const fault =
  namespaceFault() ?? (hasProgram("iptables") ? null : "needs the programs iptables and ip6tables");

describe.skipIf(fault !== null)(titled("lists of xt_recent", fault), () => {
  const namespace = enterNamespace("recent");

  beforeAll(() => {
    for (const list of ["default", "slow", "web", "other"]) {
      for (const rule of recentRules(target(list))) namespace.run("sh", "-c", rule);
    }
  });

  enforcerConformance("recent", {
    make: () => new RecentEnforcer(),
    outlives: true,
    bounded: false,
    tolerance: 0,
    rounds: 60,
    targets: [target("default"), target("slow"), target("web")],
    networks: false,
    knowsEnds: false,
    many: 90,
    change: (same) => same,
  });

  it("reports that a list is small, which addresses have no room, and its rules [limit: recentList]", async () => {
    const said: string[] = [];
    const enforcer = new RecentEnforcer((sentence) => said.push(sentence));
    await enforcer.open([target("default")]);
    expect(said).toEqual([
      expect.stringMatching(/^Lists of xt_recent hold 100 addresses and forget the rest/),
    ]);
    const now = Date.now();
    const bans = Array.from({ length: 103 }, (_, i) => ban(`10.0.0.${i + 1}`, now + HOUR));
    const refusals = await enforcer.apply(bans, now);
    expect(refusals.map(({ fact }) => fact)).toEqual(
      [101, 102, 103].map(
        (i) => `Cannot ban 10.0.0.${i} at default: the list default is full with 100 addresses`,
      ),
    );
    const held = (await enforcer.list()).map(({ prefix }) => prefix);
    expect(held).toHaveLength(100);
    expect(held).toContainEqual(bans[0]?.prefix);
    expect(refusals.every(({ isFull }) => isFull)).toBe(true);
    // When the list is rewritten, the bans that expire first are dropped.
    const ends = bans.map((one, i) => ({ ...one, until: now + HOUR - i * MINUTE }) as Enforcement);
    const lost = await enforcer.replace(ends.slice(0, 60).concat(bans.slice(60)), now);
    expect(lost.map(({ prefix }) => prefix)).toEqual([59, 58, 57].map((i) => bans[i]?.prefix));
    await enforcer.close({ flush: true });
    await expect(enforcer.open([target("missing")])).rejects.toThrow(
      "Cannot use the list missing: /proc/thread-self/net/xt_recent/missing: no such file or directory; it exists while a rule names it, such as: iptables -I INPUT -m recent --name missing --rcheck -j DROP; ip6tables",
    );
  });

  it("notices a list that was created again and fills it", async () => {
    const rule = ["INPUT", "-m", "recent", "--name", "again", "--rcheck", "-j", "DROP"];
    namespace.run("iptables", "-A", ...rule);
    const enforcer = new RecentEnforcer();
    await enforcer.open([target("again")]);
    const now = Date.now();
    const at = (text: string): Enforcement => ({ ...ban(text, now + HOUR), target: "again" });
    await enforcer.apply([at("10.0.0.1")], now);
    namespace.run("iptables", "-D", ...rule);
    namespace.run("iptables", "-A", ...rule);
    await expect(enforcer.apply([at("10.0.0.2")], now)).rejects.toThrow(
      "Cannot change bans: the list again was removed",
    );
    expect(await enforcer.missing()).toBe("the list again was removed");
    await enforcer.open([target("again")]);
    await enforcer.replace([at("10.0.0.2")], now);
    expect(await enforcer.list()).toHaveLength(1);
    namespace.run("iptables", "-D", ...rule);
    await enforcer.close({ flush: true });
  });

  it("refuses one list for two targets: each would delete the other's bans", async () => {
    const enforcer = new RecentEnforcer();
    const targets = ["one", "two"].map((name) => ({ ...target("default"), name }));
    await expect(enforcer.open(targets)).rejects.toThrow("Cannot use the list default: it is named twice");
  });
});

describe.skipIf(fault !== null)(titled("lists of xt_recent with real packets", fault), () => {
  it("drop packets from banned addresses until the unban", async () => {
    const there = await AttackedServer.start();
    onTestFinished(() => there.close());
    for (const rule of recentRules(target("default"))) there.server.run("sh", "-c", rule);
    const enforcer = new RecentEnforcer();
    await there.server.inside(() => enforcer.open([target("default")]));
    await there.expectKeptOut(enforcer, "default");
    await there.server.inside(() => enforcer.close({ flush: true }));
  });
});

function target(name: string): RecentTarget {
  return { name, enforcer: "recent", list: name };
}

function ban(text: string, until: number): Extract<Enforcement, { kind: "ban" }> {
  const prefix = parsePrefix(text);
  if (prefix === null) throw new Error(`Cannot read ${text}`);
  return { kind: "ban", prefix, target: "default", until };
}
