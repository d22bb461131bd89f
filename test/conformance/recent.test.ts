import { describe, expect, it, vi } from "vitest";
import { parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import { HOUR } from "../../src/core/time.ts";
import { RecentEnforcer } from "../../src/enforce/recent/enforcer.ts";
import type { RecentTarget } from "../../src/enforce/recent/kind.ts";
import { type ListFile, parseList } from "../../src/enforce/recent/list-file.ts";
import { recentRules } from "../../src/enforce/recent/rules.ts";
import { enforcerConformance } from "./enforcer.ts";

// The same suite runs against the real lists in test/system/recent.test.ts.
const lists = vi.hoisted(() => new Map<string, { addresses: string[]; commands: string[] }>());
vi.mock("../../src/enforce/recent/list-file.ts", async (original) => ({
  ...(await original<object>()),
  listCapacity: () => 100,
  openListFile: (name: string): ListFile => {
    const list = lists.get(name) ?? { addresses: [], commands: [] };
    lists.set(name, list);
    return {
      write(command) {
        list.commands.push(command);
        const address = command.slice(1);
        list.addresses = command === "/" ? [] : list.addresses.filter((one) => one !== address);
        if (command.startsWith("+")) list.addresses.push(address);
        // The kernel forgets the oldest address of a list that is full.
        if (list.addresses.length > 100) list.addresses.shift();
        return null;
      },
      missing: () => (lists.get(name) === list ? null : `the list ${name} was taken away`),
      read: () => list.addresses,
      close: () => undefined,
    };
  },
}));

enforcerConformance("recent over lists in memory", {
  make: () => new RecentEnforcer(),
  outlives: true,
  bounded: false,
  tolerance: 0,
  rounds: 100,
  targets: [target("default"), target("slow"), target("web")],
  networks: false,
  knowsEnds: false,
  many: 90,
  change: (same) => same,
});

describe("the commands for a list of xt_recent", () => {
  it("are one for each change", async () => {
    lists.clear();
    const enforcer = new RecentEnforcer();
    await enforcer.open([target("web")]);
    await enforcer.apply([ban("192.0.2.1"), ban("2001:db8::1")], 0);
    await enforcer.apply([{ ...ban("192.0.2.1"), kind: "unban" }], 0);
    expect(lists.get("web")?.commands).toEqual(["+192.0.2.1", "+2001:db8::1", "-192.0.2.1"]);
    await enforcer.close({ flush: true });
    expect(lists.get("web")?.commands.at(-1)).toBe("/");
  });

  it("remove old bans and write every current ban again, in order", async () => {
    lists.clear();
    const enforcer = new RecentEnforcer();
    await enforcer.open([target("web")]);
    await enforcer.apply([ban("192.0.2.1"), ban("192.0.2.2")], 0);
    await enforcer.replace([ban("192.0.2.2"), ban("192.0.2.3")], 0);
    expect(lists.get("web")?.commands.slice(2)).toEqual(["-192.0.2.1", "+192.0.2.2", "+192.0.2.3"]);
  });

  it.each<[string, (list: { addresses: string[] }) => void, string]>([
    ["deletes it", (list) => void list.addresses.shift(), "192.0.2.1"],
    ["empties the list", (list) => void list.addresses.splice(0), "192.0.2.1 and 1 more"],
    [
      "adds so many that it is evicted",
      (list) => {
        for (let i = 0; i < 99; i++) list.addresses.push(`10.0.0.${i}`);
        list.addresses.splice(0, list.addresses.length - 100);
      },
      "192.0.2.1",
    ],
  ])("put back an address after another program %s", async (_, harm, what) => {
    lists.clear();
    const enforcer = new RecentEnforcer();
    await enforcer.open([target("web")]);
    const bans = [ban("192.0.2.1"), ban("2001:db8::1")];
    await enforcer.replace(bans, 0);
    const list = lists.get("web") ?? { addresses: [] };
    list.addresses = ["192.0.2.1", "2001:0db8:0000:0000:0000:0000:0000:0001"];
    expect(await enforcer.missing()).toBeNull();
    harm(list);
    expect(await enforcer.missing()).toBe(
      `another program removed ${what} from the list web, or the list had no room for it`,
    );
    await enforcer.open([target("web")]);
    await enforcer.replace(bans, 0);
    expect((await enforcer.list()).map(({ prefix }) => prefix)).toEqual(
      expect.arrayContaining(bans.map(({ prefix }) => prefix)),
    );
    expect(await enforcer.missing()).toBeNull();
  });

  it("go to a list that a rule names", () => {
    expect(recentRules(target("web"))).toEqual([
      "iptables -I INPUT -m recent --name web --rcheck -j DROP",
      "ip6tables -I INPUT -m recent --name web --rcheck -j DROP",
    ]);
  });
});

it("a list is read in the order in which its addresses were last seen", () => {
  expect(
    parseList(
      [
        "src=192.0.2.2 ttl: 64 last_seen: 4302 oldest_pkt: 1 4302",
        "src=2001:0db8:0000:0000:0000:0000:0000:0001 ttl: 0 last_seen: 4299 oldest_pkt: 1 4299",
        "junk",
        "",
      ].join("\n"),
    ),
  ).toEqual(["2001:0db8:0000:0000:0000:0000:0000:0001", "192.0.2.2"]);
});

function target(name: string): RecentTarget {
  return { name, enforcer: "recent", list: name };
}

function ban(text: string) {
  return { kind: "ban", prefix: parsePrefix(text) as Prefix, target: "web", until: HOUR } as const;
}
