import { appendFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault =
  namespaceFault() ??
  (hasProgram("nft") && hasProgram("ipset") ? null : "needs nft and ipset, to look at the kernel");

describe.skipIf(fault !== null)(
  titled("bans that the configuration or the addresses of the machine overtake", fault),
  () => {
    const server = useNamespace("settled");
    const home = new Home();
    let daemon: RunningDaemon;

    const configure = (targets: string, ignoreip = ""): void =>
      home.configure(`
sources: { log: { type: file, path: HOME/log } }
targets: { ${targets} }
jails: { all: { sources: log, filter: { failregex: ['fail <HOST>$'] }, maxretry: 1, bantime: 1h${targets.includes("slow") ? ", target: slow" : ""} } }
ignoreip: [${ignoreip}]
state: HOME/state
`);
    const rules = (): string => server.run("nft", "list", "table", "inet", "stoplog");
    const bans = (): readonly string[] =>
      daemon
        .bans()
        .map(({ address, target, enforced }) => `${address} ${target} ${enforced}`)
        .toSorted();

    beforeAll(async () => {
      writeFileSync(home.file("log"), "");
      configure("far: { }, slow: { enforcer: ipset }");
      daemon = await RunningDaemon.start(home, server);
      appendFileSync(home.file("log"), `${new Date().toISOString()} fail 203.0.113.1\n`);
      await until(
        "the address is banned",
        () => daemon.banned().length === 1,
        () => daemon.log,
      );
      daemon.command("ban", "203.0.113.2", "203.0.113.3", "2001:db8::1", "--target", "slow");
      daemon.command("ban", "203.0.113.4", "--target", "far");
    });
    afterAll(async () => {
      await daemon.end();
      home.remove();
    });

    it("moves the bans of a target that a reload removes", () => {
      configure("far: { }");
      const { status, output } = daemon.command("reload");
      expect([status, output]).toEqual([
        0,
        expect.stringContaining(
          "4 bans of the target slow, which is not in the configuration: moved to default",
        ),
      ]);
      const moved = ["2001:db8::1", "203.0.113.1", "203.0.113.2", "203.0.113.3"];
      expect(bans()).toEqual([...moved.map((address) => `${address} default true`), "203.0.113.4 far true"]);
      for (const address of daemon.banned()) expect(rules()).toContain(address);
      expect(server.run("ipset", "list", "-n")).toBe("");
      expect(daemon.command("status").status).toBe(0);
    });

    it("moves those of a target that is gone at a restart, and ends those that ignoreip names now", async () => {
      await daemon.end();
      configure("", "203.0.113.1, 203.0.113.2");
      daemon = await RunningDaemon.start(home, server);
      expect(daemon.log).toContain(
        "1 ban of the target far, which is not in the configuration: moved to default",
      );
      expect(daemon.log).toContain("Ended 2 bans that met an address of ignoreip");
      expect(bans()).toEqual([
        "2001:db8::1 default true",
        "203.0.113.3 default true",
        "203.0.113.4 default true",
      ]);
      await until("the kernel has them no more", () => !/203\.0\.113\.[12]\b/.test(rules()));
      expect(rules()).toContain("203.0.113.3");
    });

    it("ends the bans of addresses that a reload adds to ignoreip, and that become the machine's own", async () => {
      configure("", '"2001:db8::/64"');
      expect(daemon.command("reload").output).toContain(
        "Ended 1 ban that met an address of ignoreip: 2001:db8::1",
      );
      expect(daemon.banned().toSorted()).toEqual(["203.0.113.3", "203.0.113.4"]);
      server.run("ip", "address", "add", "203.0.113.3/32", "dev", "lo");
      await until(
        "the address is unbanned",
        () => daemon.banned().join() === "203.0.113.4",
        () => daemon.log,
      );
      await until("the kernel has no ban", () => !rules().includes("203.0.113.3"));
      const said = "Ended 1 ban that met an address of this machine or its gateway: 203.0.113.3";
      await until("the log says so", () => daemon.log.includes(said));
    });
  },
);
