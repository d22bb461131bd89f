import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it, onTestFinished } from "vitest";
import { useServerAndAttacker } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { attempt, Listener } from "../support/packets.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { eventually } from "../support/waiting.ts";

const fault =
  namespaceFault() ??
  (["nft", "iptables", "ipset"].every(hasProgram)
    ? null
    : "needs nft, iptables and ipset, to look at the kernel from outside");

/** Ways to ban at a target, and how to find an address there from outside; HOME is the test's folder. */
const WAYS: Readonly<Record<string, { readonly target: string; readonly held: string }>> = {
  nftables: { target: "{ enforcer: nftables }", held: "nft list ruleset" },
  ports: { target: "{ enforcer: nftables, ports: [22] }", held: "nft list ruleset" },
  ipset: { target: "{ enforcer: ipset }", held: "ipset save" },
  "own sets": { target: "{ enforcer: ipset, sets: [small4] }", held: "ipset save small4" },
  iptables: { target: "{ enforcer: iptables }", held: "iptables-save" },
  route: { target: "{ enforcer: route }", held: "ip route show table all type blackhole" },
  deny: { target: "{ enforcer: hosts.deny, path: HOME/hosts.deny }", held: "cat HOME/hosts.deny" },
  recent: { target: "{ enforcer: recent, list: ONE }", held: "cat /proc/net/xt_recent/ONE" },
  "other recent": { target: "{ enforcer: recent, list: TWO }", held: "cat /proc/net/xt_recent/TWO" },
  "other deny": { target: "{ enforcer: hosts.deny, path: HOME/other.deny }", held: "cat HOME/other.deny" },
};

describe.skipIf(fault !== null)(titled("targets that are edited while no daemon runs", fault), () => {
  const { server, attacker } = useServerAndAttacker();

  const prepare = (): void => {
    server.run("sh", "-c", "ipset create small4 hash:ip timeout 0 2>/dev/null; true");
    for (const list of ["ONE", "TWO"])
      for (const program of ["iptables", "ip6tables"]) {
        const rule = ["OUTPUT", "-m", "recent", "--name", list, "--rcheck", "-j", "DROP"];
        server.run(
          "sh",
          "-c",
          `${program} -C ${rule.join(" ")} 2>/dev/null || ${program} -A ${rule.join(" ")}`,
        );
      }
  };

  it.each([
    ["ipset", "nftables"],
    ["nftables", "ipset"],
    ["nftables", "ports"],
    ["iptables", "nftables"],
    ["route", "iptables"],
    ["deny", "other deny"],
    ["own sets", "nftables"],
    ["recent", "other recent"],
    ["recent", "iptables"],
  ])("bans of %s are at %s after the next start, and nowhere else", async (before, after) => {
    const home = new Home();
    onTestFinished(() => home.remove());
    const listener = await Listener.open(server, 22);
    onTestFinished(() => listener.close());
    writeFileSync(home.file("log"), "");
    for (const name of ["hosts.deny", "other.deny"]) writeFileSync(home.file(name), "");
    prepare();
    const configure = (way: string, name = "default"): void =>
      home.configure(`
sources: { log: { type: file, path: HOME/log } }
targets: { ${name}: ${WAYS[way]?.target} }
jails: { door: { sources: log, filter: { failregex: ['refused <HOST>$'] }, target: ${name} } }
state: HOME/state
`);
    const holds = (way: string, address: string): boolean => {
      const command = WAYS[way]?.held.replaceAll("HOME", home.path) ?? "false";
      return server.run("sh", "-c", `${command} 2>/dev/null; true`).includes(address);
    };
    configure(before);
    let daemon = await RunningDaemon.start(home, server);
    onTestFinished(() => daemon.end());
    expect(daemon.command("ban", "192.0.2.66", "--for", "1h").status).toBe(0);
    expect(daemon.command("ban", "192.0.2.67", "--for", "2s").status).toBe(0);
    expect(holds(before, "192.0.2.66")).toBe(true);
    await daemon.end();
    expect(holds(before, "192.0.2.66")).toBe(true);
    configure(after);
    daemon = await RunningDaemon.start(home, server);
    // Both stand in one ruleset: there, the ports tell them apart.
    const isElsewhere = WAYS[before]?.held !== WAYS[after]?.held;
    await eventually(() => {
      expect([isElsewhere && holds(before, "192.0.2.66"), holds(after, "192.0.2.66")]).toEqual([false, true]);
    });
    expect(daemon.status()).toMatchObject({ state: "healthy", troubles: [] });
    expect(daemon.banned()).toContain("192.0.2.66");
    expect(daemon.command("unban", "192.0.2.66").status).toBe(0);
    for (const way of Object.keys(WAYS)) expect([way, holds(way, "192.0.2.66")]).toEqual([way, false]);
    await eventually(async () => expect(await attempt(attacker, "192.0.2.1", 22)).toBe("connected"));
    await eventually(() => {
      for (const way of Object.keys(WAYS)) expect([way, holds(way, "192.0.2.67")]).toEqual([way, false]);
    });
  });

  it("keeps bans at the old target as long as the new one cannot be opened", async () => {
    const home = new Home();
    onTestFinished(() => home.remove());
    writeFileSync(home.file("log"), "");
    const configure = (target: string): void =>
      home.configure(`
sources: { log: { type: file, path: HOME/log } }
targets: { default: ${target} }
jails: { door: { sources: log, filter: { failregex: ['refused <HOST>$'] } } }
state: HOME/state
`);
    configure("{ enforcer: iptables }");
    let daemon = await RunningDaemon.start(home, server);
    onTestFinished(() => daemon.end());
    daemon.command("ban", "192.0.2.68");
    await daemon.end();
    configure("{ enforcer: ipset, sets: [later4] }");
    daemon = await RunningDaemon.start(home, server);
    expect(daemon.status()).toMatchObject({ state: "degraded" });
    expect(server.run("iptables-save")).toContain("192.0.2.68");
    server.run("ipset", "create", "later4", "hash:ip", "timeout", "0");
    await eventually(() => expect(server.run("ipset", "save", "later4")).toContain("192.0.2.68"));
    await eventually(() => expect(server.run("iptables-save")).not.toContain("192.0.2.68"));
    expect(existsSync(home.file("state/targets.json"))).toBe(true);
    await eventually(() => expect(readFileSync(home.file("state/targets.json"), "utf8")).toContain("later4"));
    daemon.command("unban", "192.0.2.68");
  });
});
