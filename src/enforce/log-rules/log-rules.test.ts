import { describe, expect, it } from "vitest";
import { StoplogError } from "../../core/errors.ts";
import { InstalledRules } from "./installed-rules.ts";
import { iptablesLogRules } from "./iptables-rules.ts";
import type { LogRule } from "./log-rule.ts";
import type { LogTable } from "./log-table.ts";
import { nftLogRules } from "./nft-rules.ts";

const SYN: LogRule = {
  jail: "synflood",
  group: 5,
  protocols: [6],
  ports: [
    { first: 22, last: 22 },
    { first: 8000, last: 8080 },
  ],
  flags: { set: 2, clear: 16 },
  interfaces: ["eth0", "ppp0"],
  over: { packets: 100, seconds: 1 },
};
const ALL_OF = (protocols: number[]): LogRule => ({
  jail: "udp",
  group: 6,
  protocols,
  ports: [],
  flags: null,
  interfaces: [],
  over: null,
});

describe("rules that log packets", () => {
  it("are a script for nft that replaces the table", () => {
    expect(nftLogRules([SYN, ALL_OF([17])])).toBe(`table inet stoplog_log
delete table inet stoplog_log
table inet stoplog_log {
  chain prerouting {
    type filter hook prerouting priority -305; policy accept;
    iif "lo" return
    iifname { "eth0", "ppp0" } meta l4proto { 6 } tcp flags & 0x12 == 0x2 th dport { 22, 8000-8080 } limit rate over 100/second log prefix "synflood: " group 5 snaplen 128 queue-threshold 100 return
    meta l4proto { 17 } log prefix "udp: " group 6 snaplen 128 queue-threshold 100 return
  }
}
`);
  });

  it("are commands of iptables and ip6tables, one for each protocol and interface", () => {
    const lines = iptablesLogRules([SYN, ALL_OF([17, 132])]);
    expect(lines).toHaveLength(2 * (2 + 2 + 4 + 1));
    expect(lines.slice(2, 4)).toEqual([
      'iptables -t raw -A STOPLOG_LOG -i eth0 -p tcp --tcp-flags SYN,ACK SYN -m multiport --dports 22,8000:8080 -m hashlimit --hashlimit-above 100/second --hashlimit-name stoplog_5_0 -j NFLOG --nflog-group 5 --nflog-size 128 --nflog-threshold 100 --nflog-prefix "synflood: "',
      'iptables -t raw -A STOPLOG_LOG -i ppp0 -p tcp --tcp-flags SYN,ACK SYN -m multiport --dports 22,8000:8080 -m hashlimit --hashlimit-above 100/second --hashlimit-name stoplog_5_0 -j NFLOG --nflog-group 5 --nflog-size 128 --nflog-threshold 100 --nflog-prefix "synflood: "',
    ]);
    expect(lines.at(-1)).toBe("ip6tables -t raw -A PREROUTING -j STOPLOG_LOG");
  });

  it("give iptables fifteen ports at a time, where a range counts as two", () => {
    const ports = Array.from({ length: 14 }, (_, i) => ({ first: 1000 + i, last: 1000 + i }));
    const many = { ...SYN, ports: [...ports, { first: 22, last: 24 }], interfaces: [] };
    const asked = iptablesLogRules([many]).flatMap((line) => /--dports (\S+)/.exec(line)?.[1] ?? []);
    expect(asked.slice(0, 2)).toEqual([ports.map(({ first }) => first).join(","), "22:24"]);
    expect(asked).toHaveLength(4);
  });
});

describe("InstalledRules", () => {
  class Kernel implements LogTable {
    readonly asked: string[] = [];
    rules: readonly LogRule[] = [];
    fault: string | null = null;
    #onLost: () => void = () => {};

    create(rules: readonly LogRule[], onLost: () => void): Promise<void> {
      this.asked.push(rules.map(({ jail }) => jail).join());
      if (this.fault !== null) return Promise.reject(new StoplogError(this.fault));
      this.rules = rules;
      this.#onLost = onLost;
      return Promise.resolve();
    }

    delete(): void {
      this.asked.push("delete");
      this.rules = [];
    }

    lose(): void {
      this.rules = [];
      this.#onLost();
    }
  }

  it("changes nothing when there are no rules and there were none", async () => {
    const rules = new InstalledRules(() => Promise.reject(new Error("not needed")));
    await rules.replace([]);
    expect(await rules.repair()).toBe(false);
    await rules.remove();
  });

  it("installs only changes, and deletes everything at the end", async () => {
    const kernel = new Kernel();
    const rules = new InstalledRules(() => Promise.resolve(kernel));
    await rules.replace([SYN]);
    await rules.replace([structuredClone(SYN)]);
    await rules.replace([ALL_OF([17])]);
    await rules.remove();
    await rules.remove();
    expect(kernel.asked).toEqual(["synflood", "udp", "delete"]);
  });

  it("installs again what another program deleted, and what failed", async () => {
    const kernel = new Kernel();
    const rules = new InstalledRules(() => Promise.resolve(kernel));
    kernel.fault = "Cannot install the rules that log packets: operation not permitted";
    await expect(rules.replace([SYN])).rejects.toThrow(kernel.fault);
    await expect(rules.repair()).rejects.toThrow(kernel.fault);
    kernel.fault = null;
    expect(await rules.repair()).toBe(false);
    expect(await rules.repair()).toBe(false);
    kernel.lose();
    expect(await rules.repair()).toBe(true);
    expect(kernel.rules).toEqual([SYN]);
  });
});
