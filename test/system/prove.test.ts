import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageRoot } from "../../src/config/package-root.ts";
import type { Proof } from "../../src/doctor/prove/prove.ts";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault =
  namespaceFault() ?? (hasProgram("nft") ? null : "needs nft, to make a set that no rule looks at");
const STOPLOG = join(packageRoot(), "bin", "stoplog");

describe.skipIf(fault !== null)(titled("stoplog doctor --prove", fault), () => {
  const server = useNamespace("prove");
  const home = new Home();
  let daemon: RunningDaemon;

  const configure = (targets: string): void =>
    home.configure(`
sources: { log: { type: file, path: HOME/log } }
targets: { ${targets} }
jails: { all: { sources: log, filter: { failregex: ['fail <HOST>$'] } } }
state: false
`);
  const prove = async (...args: readonly string[]) => {
    const command = ["doctor", "--prove", "--socket", home.file("control.sock"), ...args];
    return server.inside(() => spawnSync(STOPLOG, command, { encoding: "utf8" }));
  };
  const links = (): string => server.run("ip", "-o", "link");

  beforeAll(async () => {
    server.feed(
      "table inet admin { set idle4 { type ipv4_addr; }; set idle6 { type ipv6_addr; }; }",
      "nft",
      "-f",
      "-",
    );
    writeFileSync(home.file("log"), "");
    configure(`
  web: { verdict: reject, ports: [8080, 8443] },
  slow: { verdict: throttle, rate: 30/minute, burst: 10 },
  idle: { sets: [inet admin idle4, inet admin idle6] },
  deny: { enforcer: hosts.deny, path: HOME/hosts.deny }`);
    daemon = await RunningDaemon.start(home, server);
  });
  afterAll(async () => {
    await daemon.end();
    home.remove();
  });

  it("shows by packets which targets stop a banned address, which only throttle, and which let it pass", async () => {
    const { status, stdout } = await prove("--json");
    const { proofs } = JSON.parse(stdout) as { readonly proofs: readonly Proof[] };
    const shown = proofs.map(({ target, family, outcome, why }) => [target, family, outcome, why]);
    const none = "no rule stopped its packets";
    expect(shown).toEqual([
      ["deny", null, "unknown", "hosts.deny: services accept the connection and close it themselves"],
      ...["IPv4", "IPv6"].map((family) => ["default", family, "stopped", null]),
      ...["IPv4", "IPv6"].map((family) => ["web", family, "stopped", null]),
      ...["IPv4", "IPv6"].map((family) => ["slow", family, "throttled", null]),
      ...["IPv4", "IPv6"].map((family) => ["idle", family, "passed", none]),
    ]);
    for (const { connections } of proofs)
      if (connections !== null) expect(connections.before).toBe(connections.tried);
    expect(proofs.find(({ target }) => target === "default")?.connections).toMatchObject({
      banned: 0,
      after: 3,
    });
    expect(status).toBe(1);
    expect(daemon.bans()).toEqual([]);
    expect(links()).not.toContain("slprove");
  });

  it("cleans up when it is interrupted", async () => {
    const child = server.spawn(STOPLOG, ["doctor", "--prove", "--socket", home.file("control.sock")]);
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    await until("an address is banned", () => daemon.bans().length > 0);
    child.kill("SIGINT");
    expect(await ended).toBe(2);
    expect(daemon.bans()).toEqual([]);
    await until("the link is gone", () => !links().includes("slprove"));
  });

  it("says that it needs the daemon", async () => {
    const { status, stderr } = await prove("--socket", home.file("other.sock"));
    expect([status, stderr]).toEqual([2, expect.stringContaining("Cannot prove the targets: the daemon: ")]);
  });
});
