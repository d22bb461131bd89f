import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePrefix, type Prefix } from "../../core/prefix.ts";
import { NO_RANGES } from "../../core/ranges.ts";
import { DAY, HOUR, MINUTE, SECOND } from "../../core/time.ts";
import { iptablesKernelRules } from "./iptables-rules.ts";
import { bucketOf, type KernelJail } from "./kernel-jail.ts";
import { baseChains, countSetsOf, kernelChains } from "./jail-rules.ts";

const JAIL: KernelJail = {
  name: "synflood",
  packets: {
    protocols: [6],
    ports: [{ first: 22, last: 22 }],
    flags: { set: 2, clear: 16 },
    interfaces: ["eth0"],
    opening: false,
  },
  condition: { kind: "packets", maxretry: 50, findtime: 10 * SECOND },
  bantime: 3 * MINUTE,
  match: { verdict: { kind: "drop" }, ports: [], protocols: [] },
  ipv4Prefix: 32,
  ipv6Prefix: 64,
  addresses: 1000,
  ignored: NO_RANGES,
};

/** The index of the packet at which the kernel's bucket overflows; -1 for none. As nft_limit does it, without its rounding. */
function bucketBans(times: readonly number[], maxretry: number, findtime: number): number {
  const bucket = bucketOf(maxretry, findtime);
  if (bucket === null) return times.length === 0 ? -1 : 0;
  let tokens = bucket.burst;
  let before = times[0] ?? 0;
  return times.findIndex((at) => {
    tokens = Math.min(bucket.burst, tokens + ((at - before) * bucket.packets) / (bucket.seconds * SECOND));
    before = at;
    if (tokens < 1 - 1e-9) return true;
    tokens--;
    return false;
  });
}

/** The index of the packet that makes maxretry within findtime; -1 for none. */
function windowBans(times: readonly number[], maxretry: number, findtime: number): number {
  return times.findIndex((at, i) => i + 1 >= maxretry && at - times[i + 1 - maxretry]! <= findtime);
}

describe("the kernel's bucket against a sliding window", () => {
  const series = fc
    .array(fc.nat(20_000), { maxLength: 60 })
    .map((gaps) => gaps.reduce<number[]>((times, gap) => [...times, (times.at(-1) ?? 0) + gap], []));

  it("bans at exactly the last of maxretry packets at once", () => {
    for (const maxretry of [1, 2, 5, 50])
      expect(bucketBans(Array<number>(maxretry + 5).fill(0), maxretry, 10 * SECOND)).toBe(maxretry - 1);
  });

  it("bans only addresses that the window would ban, and not earlier", () => {
    fc.assert(
      fc.property(
        series,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 600 }),
        (times, maxretry, seconds) => {
          const bucket = bucketBans(times, maxretry, seconds * SECOND);
          const window = windowBans(times, maxretry, seconds * SECOND);
          if (bucket >= 0) expect(window).toBeGreaterThanOrEqual(0);
          if (bucket >= 0) expect(bucket).toBeGreaterThanOrEqual(window);
        },
      ),
    );
  });

  it("lets at most 2 (maxretry - 1) packets through in any findtime without a ban, where the rate is exact", () => {
    fc.assert(
      fc.property(series, fc.integer({ min: 2, max: 20 }), (times, maxretry) => {
        const findtime = 60 * SECOND;
        const banned = bucketBans(times, maxretry, findtime);
        const before = banned < 0 ? times : times.slice(0, banned);
        const most = Math.max(
          0,
          ...before.map((from, i) => before.slice(i).filter((at) => at < from + findtime).length),
        );
        expect(most).toBeLessThanOrEqual(2 * (maxretry - 1));
      }),
    );
  });

  it("leaks at a rate that nft can express, not slower than requested", () => {
    expect(bucketOf(50, 10 * SECOND)).toEqual({ packets: 294, seconds: 60, burst: 49 });
    expect(bucketOf(6, SECOND)).toEqual({ packets: 5, seconds: 1, burst: 5 });
    expect(bucketOf(2, 7 * HOUR)).toEqual({ packets: 24, seconds: 604_800, burst: 1 });
    expect(bucketOf(3, 7 * DAY)).toEqual({ packets: 2, seconds: 604_800, burst: 2 });
    expect(bucketOf(1, HOUR)).toBeNull();
  });
});

describe("the rules of jails that the kernel counts for", () => {
  it("check ignored addresses first, and do not count where a single packet bans", () => {
    const [base] = baseChains([JAIL]);
    expect(base?.rules.map((rule) => rule.map(({ kind }) => kind))).toEqual([
      ["loopback", "return"],
      ["source", "return"],
      ["source", "return"],
      ["jump"],
      ["jump"],
    ]);
    expect(countSetsOf([{ ...JAIL, condition: { kind: "packets", maxretry: 1, findtime: 1 } }])).toEqual([]);
  });

  it("need conntrack only to select or count connections", () => {
    expect(baseChains([JAIL])).toHaveLength(1);
    const opening = { ...JAIL, packets: { ...JAIL.packets, opening: true } };
    expect(baseChains([opening]).map(({ name }) => name)).toEqual(["prerouting", "connections"]);
  });

  it("select every protocol that has ports when none is named", () => {
    const ports = {
      ...JAIL,
      packets: { ...JAIL.packets, protocols: [], flags: null, interfaces: ["a", "b"] },
    };
    const chain = kernelChains([ports]).find(({ name }) => name === "synflood/packets");
    expect(chain?.rules).toHaveLength(2 + 2 * 5);
  });
});

describe("the same for iptables", () => {
  it("is a chain for each jail and family, with hashlimit and a list of xt_recent", () => {
    const ignored = ["192.0.2.0/24", "2001:db8::/32"].map((text) => parsePrefix(text) as Prefix);
    expect(iptablesKernelRules([{ jail: JAIL, ignored }]).slice(1)).toEqual([
      "iptables -t raw -N STOPLOG_JAIL_1",
      "iptables -t raw -A STOPLOG_JAIL_1 -i lo -j RETURN",
      "iptables -t raw -A STOPLOG_JAIL_1 -s 192.0.2.0/24 -j RETURN",
      "iptables -t raw -A STOPLOG_JAIL_1 -m recent --name stoplog_1_v4 --rsource --mask 255.255.255.255 --rcheck --seconds 180 -j DROP",
      "iptables -t raw -A STOPLOG_JAIL_1 -i eth0 -p tcp --tcp-flags SYN,ACK SYN -m multiport --dports 22 -m hashlimit --hashlimit-above 294/minute --hashlimit-burst 49 --hashlimit-mode srcip --hashlimit-srcmask 32 --hashlimit-htable-max 1000 --hashlimit-htable-expire 10000 --hashlimit-name stoplog_1_v4 -m recent --name stoplog_1_v4 --rsource --mask 255.255.255.255 --set -j DROP",
      "iptables -t raw -A PREROUTING -j STOPLOG_JAIL_1",
      "ip6tables -t raw -N STOPLOG_JAIL_1",
      "ip6tables -t raw -A STOPLOG_JAIL_1 -i lo -j RETURN",
      "ip6tables -t raw -A STOPLOG_JAIL_1 -s 2001:db8::/32 -j RETURN",
      "ip6tables -t raw -A STOPLOG_JAIL_1 -m recent --name stoplog_1_v6 --rsource --mask ffff:ffff:ffff:ffff:0:0:0:0 --rcheck --seconds 180 -j DROP",
      "ip6tables -t raw -A STOPLOG_JAIL_1 -i eth0 -p tcp --tcp-flags SYN,ACK SYN -m multiport --dports 22 -m hashlimit --hashlimit-above 294/minute --hashlimit-burst 49 --hashlimit-mode srcip --hashlimit-srcmask 64 --hashlimit-htable-max 1000 --hashlimit-htable-expire 10000 --hashlimit-name stoplog_1_v6 -m recent --name stoplog_1_v6 --rsource --mask ffff:ffff:ffff:ffff:0:0:0:0 --set -j DROP",
      "ip6tables -t raw -A PREROUTING -j STOPLOG_JAIL_1",
    ]);
  });

  it("counts connections with connlimit, after conntrack", () => {
    const jail: KernelJail = {
      ...JAIL,
      condition: { kind: "connections", most: 20 },
      packets: { ...JAIL.packets, opening: true },
    };
    expect(iptablesKernelRules([{ jail, ignored: [] }]).find((line) => line.includes("connlimit"))).toBe(
      "iptables -t mangle -A STOPLOG_JAIL_1 -i eth0 -p tcp --tcp-flags SYN,ACK SYN -m multiport --dports 22 -m conntrack --ctstate NEW -m connlimit --connlimit-above 20 --connlimit-mask 32 --connlimit-saddr -m recent --name stoplog_1_v4 --rsource --mask 255.255.255.255 --set -j DROP",
    );
  });
});
