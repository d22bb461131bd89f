import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { useServerAndAttacker } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { linkEnds } from "../support/raw-link.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { EchoService, reaches } from "../support/service.ts";
import { startFlood } from "../support/start-flood.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault() ?? (hasProgram("nft") ? null : "needs the nft program");

const CONFIG = `
sources:
  syn: { type: nflog, group: 7 }
jails:
  synflood:
    sources: syn
    packets: { protocol: tcp, flags: "syn,!ack", ports: 22 }
    maxretry: 2
    findtime: 1m
    bantime: 1h
    target: default
limits: { packet_bans: 1000000 }
state: HOME/state
`;

describe.skipIf(fault !== null)(titled("a flood against a jail with an nflog source", fault), () => {
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
    home.configure(CONFIG);
    server.feed(
      `table inet logging { chain c { type filter hook prerouting priority -200;
         iifname veth0 tcp flags & (syn|ack) == syn log group 7 prefix "SYN: " snaplen 128 queue-threshold 100; }; }`,
      "nft",
      "-f",
      "-",
    );
  });
  afterEach(async () => {
    await daemon?.end();
    daemon = null;
    server.run("nft", "flush", "ruleset");
    home.remove();
  });

  it("bans each of 100,000 forged sources and serves other clients meanwhile", async () => {
    daemon = await RunningDaemon.start(home, server);
    const running = daemon;
    await until("it listens", () => running.status().sources[0]?.state === "listens on netlink log group 7");
    const flood = startFlood(attacker, {
      ends: linkEnds(attacker, server),
      first: "100.64.0.0",
      sources: 100_000,
      destination: "192.0.2.1",
      destinationPort: 22,
      packets: 300_000,
      rate: 100_000,
    });
    expect(await reaches(attacker, "192.0.2.1", service.port)).toBe(true);
    expect((await flood()).packets).toBe(300_000);
    await until("all are banned", () => running.status().book.bans === 100_000);
    const status = running.status();
    // The third packet of each source was dropped before the log rule, unless it was already under way.
    expect(status.jails[0]).toMatchObject({ counted: 200_000, bans: 100_000 });
    expect(status.sources[0]).toMatchObject({ shed: 0, overruns: 0 });
    expect(status.enforcers[0]).toMatchObject({ refused: 0 });
    expect(await reaches(attacker, "192.0.2.1", service.port)).toBe(true);
  });
});
