import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { useServerAndAttacker } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { RawLink } from "../support/raw-link.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { EchoService, reaches } from "../support/service.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault() ?? (hasProgram("nft") ? null : "needs the nft program");

const CONFIG = `
sources:
  syn: { type: nflog, group: 7 }
jails:
  synflood:
    sources: syn
    packets: { protocol: tcp, flags: "syn,!ack", ports: 22 }
    maxretry: 5
    findtime: 1m
    bantime: 1h
    ipv6_prefix: 128
    target: default
limits: { packet_bans: 1000000 }
state: HOME/state
`;

describe.skipIf(fault !== null)(titled("stoplog run with nflog, from packets to bans", fault), () => {
  const { server, attacker } = useServerAndAttacker();
  let raw: RawLink;
  let service: EchoService;
  let home: Home;
  let daemon: RunningDaemon | null = null;

  beforeAll(async () => {
    raw = await RawLink.open(attacker, server);
    service = await EchoService.start(server);
  });
  afterAll(() => {
    raw?.close();
    service?.stop();
  });
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

  it("bans exactly the IPv4 and IPv6 sources of the selected packets and shows the packets", async () => {
    daemon = await RunningDaemon.start(home, server);
    const running = daemon;
    await until("it listens", () => running.status().sources[0]?.state === "listens on netlink log group 7");
    const v4 = { source: "203.0.113.7", destination: "192.0.2.1" };
    const v6 = { source: "2001:db8:7::7", destination: "2001:db8::1" };
    for (let i = 0; i < 5; i++) raw.send(v4, v6, { ...v4, source: "203.0.113.8", destinationPort: 80 });
    raw.send({ ...v4, source: "203.0.113.9" });
    await until("both are banned", () => running.banned().length === 2);
    expect([...running.banned()].sort()).toEqual(["2001:db8:7::7", "203.0.113.7"]);
    await until("the kernel has the ban and its end", () =>
      /203\.0\.113\.7 timeout (1h|59m5\ds)/.test(running.ruleset()),
    );
    expect(JSON.parse(running.command("why", "203.0.113.7", "--json").output)).toMatchObject({
      banned: true,
      lines: Array<string>(5).fill("TCP SYN from 203.0.113.7:40000 to 192.0.2.1:22 on veth0"),
    });
    const status = running.status();
    expect(status.jails[0]).toMatchObject({ filter: null, counted: 11, bans: 2 });
    expect(status.sources[0]).toMatchObject({ kind: "nflog", shed: 0, overruns: 0 });
    // Clients that send few or no selected packets are served all the time.
    expect(await reaches(attacker, "192.0.2.1", service.port)).toBe(true);
  });
});
