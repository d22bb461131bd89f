import { appendFileSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault =
  namespaceFault() ?? (hasProgram("nft") ? null : "needs nft, to look at the kernel from outside");

const CONFIG = `
sources:
  detector: { type: file, path: HOME/orders, orders: true, bantime: 5h }
  scores: { type: command, command: [tail, -n, "+1", -F, HOME/scores], orders: true, origin: scorer }
origins:
  scorer: { may: ban, longest: 2h, widest_v4: 32, bans: 3 }
ignoreip: [198.51.100.0/24]
state: HOME/state
`;

describe.skipIf(fault !== null)(titled("stoplog run with orders", fault), () => {
  const server = useNamespace("orders");
  let home: Home;
  let daemon: RunningDaemon;

  beforeEach(async () => {
    home = new Home();
    for (const file of ["orders", "scores"]) writeFileSync(home.file(file), "");
    home.configure(CONFIG);
    daemon = await RunningDaemon.start(home, server);
  });
  afterEach(async () => {
    await daemon.end();
    server.run("nft", "flush", "ruleset");
    home.remove();
  });

  const write = (file: string, ...orders: unknown[]): void =>
    appendFileSync(
      home.file(file),
      orders.map((one) => `${typeof one === "string" ? one : JSON.stringify(one)}\n`).join(""),
    );
  const bans = () =>
    daemon
      .bans()
      .map(({ address, origin, reason }) => `${address} ${origin}: ${reason}`)
      .toSorted();
  const allowed = () =>
    daemon
      .status()
      .allows.newest.map(({ address }) => address)
      .toSorted();
  const origin = (name: string) => daemon.status().origins.find((one) => one.name === name);

  it("takes orders from a file and a program, each as far as its origin is trusted", async () => {
    write("orders", "# ours", { address: "192.0.2.1", reason: "scan" }, "no order", {
      address: "2001:db8::/64",
    });
    write("scores", { address: "192.0.2.2", duration: "1w" }, { order: "unban", address: "192.0.2.1" });
    write("scores", { address: "192.0.2.0/25" }, { address: "198.51.100.7" });
    await until(
      "all orders arrived",
      () => origin("scorer")?.refused === 2 && bans().length === 3,
      () => daemon.log,
    );
    expect(bans()).toEqual([
      "192.0.2.1 detector: scan",
      "192.0.2.2 scorer: ordered by scorer",
      "2001:db8::/64 detector: ordered by detector",
    ]);
    expect(origin("detector")).toMatchObject({ bans: 2, done: 2, unreadable: 1 });
    expect(origin("scorer")).toMatchObject({ bans: 1, done: 1, held: 1, refused: 2 });
    const left =
      Date.parse(daemon.bans().find(({ address }) => address === "192.0.2.2")?.until ?? "") - Date.now();
    expect(left / 3_600_000).toBeGreaterThan(1.9);
    expect(left / 3_600_000).toBeLessThan(2.01);
    await until("the kernel has the ban", () => server.run("nft", "list", "ruleset").includes("192.0.2.2"));
    expect(daemon.status().warnings.join("\n")).toContain("1 orders are held: see stoplog held");
  });

  it("shows held orders, releases them, and unbans everything of an origin", async () => {
    write("scores", { address: "192.0.2.0/25", reason: "a whole net" }, { address: "192.0.2.200" });
    await until(
      "one order is held",
      () => origin("scorer")?.held === 1 && bans().length === 1,
      () => daemon.log,
    );
    const held = JSON.parse(daemon.command("held", "--json").output) as unknown[];
    expect(held).toMatchObject([{ origin: "scorer", address: "192.0.2.0/25", fact: "wider than /32" }]);
    expect(daemon.command("held").output).toContain("a whole net");
    expect(daemon.command("held", "--release").output).toBe("Carried out 1 order\n");
    expect(bans()).toEqual(["192.0.2.0/25 scorer: a whole net", "192.0.2.200 scorer: ordered by scorer"]);
    daemon.command("ban", "203.0.113.9");
    expect(daemon.command("unban", "--origin", "scorer").output).toBe("Removed 2 bans\n");
    expect(bans()).toEqual(["203.0.113.9 operator: by hand"]);
  });

  it("takes orders from scripts and keeps their bans over a restart", async () => {
    const done = daemon.command(
      "order",
      "ban",
      "192.0.2.7",
      "--for",
      "1h",
      "--reason",
      "by script",
      "--id",
      "1",
    );
    expect([done.status, done.output]).toEqual([0, "1 order carried out\n"]);
    expect(daemon.command("order", "ban", "192.0.2.7", "--id", "1").output).toBe(
      "0 orders carried out, 1 with nothing to do\n",
    );
    const refused = daemon.command("order", "unban", "192.0.2.7", "--origin", "scorer");
    expect([refused.status, refused.output]).toEqual([
      1,
      "Line 1: refused: scorer may not unban\n0 orders carried out, 1 refused\n",
    ]);
    expect(daemon.command("order", "ban", "192.0.2.7", "--origin", "unknown").error).toBe(
      "Cannot take orders: unknown origin unknown (origins: scorer, detector, operator)\n",
    );
    expect(daemon.command("order", "allow", "192.0.2.8", "--for", "1h").status).toBe(0);
    expect(daemon.command("order", "allow", "0.0.0.0/0", "--for", "-1").status).toBe(0);
    expect(daemon.command("status").output).toContain("0.0.0.0/0 permanently by operator");
    await daemon.end("SIGKILL");
    daemon = await RunningDaemon.start(home, server);
    expect(allowed()).toEqual(["0.0.0.0/0", "192.0.2.8"]);
    expect(daemon.command("order", "unallow", "0.0.0.0/0").output).toBe("1 order carried out\n");
    expect(daemon.command("order", "unallow", "0.0.0.0/0").output).toBe(
      "0 orders carried out, 1 with nothing to do\n",
    );
    await daemon.end("SIGKILL");
    daemon = await RunningDaemon.start(home, server);
    expect(allowed()).toEqual(["192.0.2.8"]);
    expect(bans()).toEqual(["192.0.2.7 operator: by script"]);
    expect(daemon.command("list").output).toContain("by script");
  });
});
