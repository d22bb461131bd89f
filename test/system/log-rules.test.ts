import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { iptablesLogRules } from "../../src/enforce/log-rules/iptables-rules.ts";
import type { LogRule } from "../../src/enforce/log-rules/log-rule.ts";
import { logTable } from "../../src/enforce/log-rules/log-table.ts";
import { nftLogRules } from "../../src/enforce/log-rules/nft-rules.ts";
import { useServerAndAttacker } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { RawLink } from "../support/raw-link.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault() ?? (hasProgram("nft") ? null : "needs the nft program");
const noIptables = hasProgram("iptables") && hasProgram("ip6tables") ? null : "needs iptables";

const CONFIG = `
sources:
  syn: { type: nflog, group: 9, install: true }
jails:
  synflood:
    sources: syn
    packets: { protocol: tcp, flags: "syn,!ack", ports: [22, 8000-8080] }
    maxretry: 3
    target: default
  any-ssh:
    sources: syn
    packets: { protocol: [tcp, udp], ports: 22 }
    maxretry: 100
    target: default
state: HOME/state
`;
const V4 = { source: "203.0.113.7", destination: "192.0.2.1" };
const V6 = { source: "2001:db8:7::7", destination: "2001:db8::1" };

describe.skipIf(fault !== null)(titled("rules that log packets", fault), () => {
  const { server, attacker } = useServerAndAttacker(
    ["192.0.2.1/24", "2001:db8::1/64"],
    ["192.0.2.66/24", "2001:db8::66/64"],
  );
  let raw: RawLink;
  let home: Home;
  let daemon: RunningDaemon | null = null;

  beforeAll(async () => {
    raw = await RawLink.open(attacker, server);
  });
  afterAll(() => {
    raw.close();
  });
  beforeEach(() => {
    home = new Home();
    home.configure(CONFIG);
  });
  afterEach(async () => {
    await daemon?.end();
    daemon = null;
    server.run("nft", "flush", "ruleset");
    home.remove();
  });

  const start = async (): Promise<RunningDaemon> => {
    daemon = await RunningDaemon.start(home, server);
    const running = daemon;
    await until("the rules are there", () => running.ruleset().includes("stoplog_log"));
    await until("it listens", () => running.status().sources[0]?.state.startsWith("listens") === true);
    return running;
  };

  it("are added to the kernel with install: true and removed at exit", async () => {
    const running = await start();
    for (let i = 0; i < 3; i++)
      raw.send({ ...V4, destinationPort: 8080 }, V6, { ...V4, source: "203.0.113.8", flags: ["ack"] });
    await until("both are banned", () => running.banned().length === 2);
    // A packet that two jails select arrives once, and each jail counts it once. Packets of banned addresses are not logged.
    await until("everything is counted", () => running.status().jails[1]?.failures === 6);
    const [syn, ssh] = running.status().jails;
    expect([syn?.counted, syn?.bans, ssh?.counted, ssh?.bans]).toEqual([6, 2, 5, 0]);
    raw.send(...Array<typeof V6>(20).fill(V6));
    raw.send({ ...V4, source: "203.0.113.9" });
    await until("the next is counted", () => (running.status().jails[0]?.counted ?? 0) > 6);
    expect(running.status().jails[0]).toMatchObject({ failures: 7, alreadyBanned: 0 });
    await running.end();
    expect(running.ruleset()).not.toContain("stoplog_log");
    daemon = null;
  });

  it("follow a reload", async () => {
    const running = await start();
    expect(running.ruleset()).toContain("8000-8080");
    home.configure(CONFIG.replace("8000-8080", "9000-9090"));
    expect(running.command("reload").status).toBe(0);
    expect(running.ruleset()).toContain("9000-9090");
    expect(running.ruleset()).not.toContain("8000-8080");
    for (let i = 0; i < 3; i++) raw.send({ ...V4, destinationPort: 9001 });
    await until("the new port is counted", () => running.banned().includes("203.0.113.7"));
    home.configure(CONFIG.replace(", install: true", ""));
    expect(running.command("reload").status).toBe(0);
    expect(running.ruleset()).not.toContain("stoplog_log");
  });

  it("log only what exceeds a rate, when one is given", async () => {
    home.configure(
      CONFIG.replace("install: true", "install: true, over: 10/hour").replace("maxretry: 3", "maxretry: 100"),
    );
    const running = await start();
    expect(running.ruleset()).toContain("limit rate over 10/hour");
    raw.send(...Array<typeof V4>(60).fill(V4));
    // nft passes a burst of five unlogged before the rate applies; each of the two rules has its own burst.
    await until("the rest is counted", () => (running.status().jails[0]?.counted ?? 0) >= 55);
    expect(running.status().jails[0]?.counted).toBeLessThan(60);
  });

  it("are in the kernel as `stoplog rules` prints them", async () => {
    const rule: LogRule = {
      jail: "scan",
      group: 9,
      protocols: [6, 17],
      ports: [
        { first: 8000, last: 8080 },
        { first: 22, last: 22 },
        { first: 65_000, last: 65_535 },
      ],
      flags: null,
      interfaces: ["veth0", "wlan-upstairs01"],
      over: { packets: 10, seconds: 60 },
    };
    const rules = [rule, { ...rule, protocols: [6], flags: { set: 2, clear: 16 }, ports: [], over: null }];
    const listed = (): string => server.run("nft", "list", "table", "inet", "stoplog_log");
    server.feed(nftLogRules(rules), "nft", "-f", "-");
    const printed = listed();
    server.run("nft", "delete", "table", "inet", "stoplog_log");
    const table = logTable();
    // The second time the rules already exist.
    for (let i = 0; i < 2; i++) await server.inside(() => table.create(rules, () => {}));
    const installed = listed().replace(/table inet stoplog_log \{ # progname .*/, "table inet stoplog_log {");
    await server.inside(() => table.delete());
    expect(withoutFlags(installed)).toBe(printed);
    expect(server.run("nft", "list", "tables")).not.toContain("stoplog_log");
  });

  it("are printed for operators who install them", () => {
    const output = (...args: string[]): string =>
      server.run(`${process.cwd()}/bin/stoplog`, "rules", ...args);
    const config = ["-c", home.file("stoplog.yaml")];
    server.feed(output(...config), "nft", "-f", "-");
    expect(server.run("nft", "list", "table", "inet", "stoplog_log")).toContain("group 9");
  });

  it.skipIf(noIptables !== null)(titled("work with iptables as they are printed", noIptables), () => {
    const rule: LogRule = {
      jail: "synflood",
      group: 9,
      protocols: [6],
      ports: [{ first: 22, last: 22 }],
      flags: { set: 2, clear: 16 },
      interfaces: ["veth0"],
      over: { packets: 100, seconds: 60 },
    };
    const rules = [rule, { ...rule, over: null, protocols: [], flags: null, interfaces: [] }];
    server.feed(`set -e\n${iptablesLogRules(rules).join("\n")}\n`, "sh");
    raw.send(V4, V6);
    for (const program of ["iptables-save", "ip6tables-save"]) {
      const saved = server.run(program, "-t", "raw", "-c");
      expect(saved).toMatch(/--nflog-prefix "?synflood: "? --nflog-group 9/);
      // The second rule counts the packets that the first one passed below its rate.
      expect(saved).toMatch(/\[[1-9]\d*:\d+\] -A STOPLOG_LOG -p tcp -m multiport --dports 22 -j NFLOG/);
    }
  });
});

/** The table without the line about its owner. */
function withoutFlags(listing: string): string {
  return listing.replace(/^\s+flags owner.*\n\n?/m, "");
}
