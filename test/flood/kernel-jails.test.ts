import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { flood } from "../support/budget.ts";
import { useServerAndAttacker } from "../support/hosts.ts";
import { namespaceFault, titled } from "../support/namespace.ts";
import { linkEnds } from "../support/raw-link.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { EchoService, reaches } from "../support/service.ts";
import { startFlood } from "../support/start-flood.ts";
import { Visiting } from "../support/visiting.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault();

const CONFIG = `
jails:
  synflood:
    offload: kernel
    packets: { protocol: tcp, flags: "syn,!ack", ports: 22 }
    maxretry: 5
    findtime: 1m
    bantime: 1h
    target: default
    ipv6_prefix: 128
ignoreip: [203.0.113.200, "2001:db8:200::/48"]
limits: { packet_bans: 1000000 }
state: HOME/state
`;

describe.skipIf(fault !== null)(titled("a flood against a kernel-counted jail", fault), () => {
  const { server, attacker } = useServerAndAttacker();
  let service: EchoService;
  let home: Home;
  let daemon: RunningDaemon | null = null;

  beforeAll(async () => {
    service = await EchoService.start(server);
  });
  afterAll(() => service?.stop());
  beforeEach(() => {
    home = new Home();
  });
  afterEach(async () => {
    await daemon?.end();
    daemon = null;
    server.run("nft", "flush", "ruleset");
    home.remove();
  });

  const start = async (config: string): Promise<RunningDaemon> => {
    home.configure(config);
    return (daemon = await RunningDaemon.start(home, server));
  };

  it.each([
    ["IPv4", 1, "100.64.0.0"],
    ["IPv4", 1000, "100.64.0.0"],
    ["IPv4", 100_000, "100.64.0.0"],
    ["IPv6", 1000, "2001:db8:64::"],
    ["IPv6", flood(100_000, 10_000), "2001:db8:64::"],
  ])(
    "bans every forged source of an %s flood (%i sources) and serves other clients meanwhile",
    async (family, sources, first) => {
      const running = await start(CONFIG.replace("maxretry: 5", "maxretry: 2"));
      const destination = family === "IPv4" ? "192.0.2.1" : "2001:db8::1";
      const sent = startFlood(attacker, {
        ends: linkEnds(attacker, server),
        first,
        sources,
        destination,
        destinationPort: 22,
        // Some sources find the kernel's set full and are banned at their next packet.
        packets: Math.max(50_000, sources * 4),
        rate: 50_000,
      });
      expect(await reaches(attacker, destination, service.port)).toBe(true);
      await sent();
      await until("all are banned", () => running.status().book.bans === sources);
      await until("the daemon adopted all bans", () => running.status().jails[0]?.kernel?.waiting === 0);
      expect(running.status().jails[0]).toMatchObject({ bans: sources, kernel: { uncounted: 0 } });
      expect(await reaches(attacker, destination, service.port)).toBe(true);
    },
    120_000,
  );

  it("serves other clients at nearly the same rate during and after a flood from banned sources", async () => {
    server.run("ip", "route", "add", "default", "via", "192.0.2.66");
    const ssh = await EchoService.start(server, 22);
    const running = await start(
      CONFIG.replace("maxretry: 5", "maxretry: 20").replace("findtime: 1m", "findtime: 1s"),
    );
    const visiting = new Visiting(attacker, {
      host: "192.0.2.1",
      port: 22,
      perSecond: 8,
      from: ["192.0.2.67"],
      patienceMs: 2000,
    });
    try {
      await until("the first client is served", () => visiting.visits.served > 0);
      const before = await visiting.rate(2000);
      const sent = startFlood(attacker, {
        ends: linkEnds(attacker, server),
        first: "100.64.0.0",
        sources: 200,
        destination: "192.0.2.1",
        destinationPort: 22,
        packets: 120_000,
        rate: 20_000,
      });
      await until("all are banned", () => running.status().book.bans === 200);
      const during = await visiting.rate(2000);
      await sent();
      const after = await visiting.rate(2000);
      // Loose factors: the bench has the figures.
      expect(before).toBeGreaterThan(3);
      expect(during).toBeGreaterThan(before * 0.7);
      expect(after).toBeGreaterThan(before * 0.7);
      expect(running.banned()).not.toContain("192.0.2.66");
    } finally {
      visiting.stop();
      ssh.stop();
    }
  }, 60_000);
});
