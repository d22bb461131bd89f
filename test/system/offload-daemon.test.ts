import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { useServerAndAttacker } from "../support/hosts.ts";
import { namespaceFault, titled } from "../support/namespace.ts";
import { RawLink } from "../support/raw-link.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { EchoService, reaches } from "../support/service.ts";
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

describe.skipIf(fault !== null)(titled("stoplog run with kernel-counted jails", fault), () => {
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
  });
  afterEach(async () => {
    daemon?.resume();
    await daemon?.end();
    daemon = null;
    server.run("nft", "flush", "ruleset");
    home.remove();
  });

  const syn = (source: string) => ({
    source,
    destination: source.includes(":") ? "2001:db8::1" : "192.0.2.1",
  });
  const send = (times: number, ...sources: readonly string[]): void => {
    for (let i = 0; i < times; i++) raw.send(...sources.map(syn));
  };
  const waiting = (): string => server.run("nft", "list", "table", "inet", "stoplog_kernel");
  const start = async (...args: readonly string[]): Promise<RunningDaemon> =>
    (daemon = await RunningDaemon.start(home, server, { args }));

  it("adopts the kernel's bans into its book and moves them to the jail's target", async () => {
    const running = await start();
    send(5, "203.0.113.7", "2001:db8:7::7");
    send(4, "203.0.113.8");
    send(9, "203.0.113.200", "2001:db8:200::1");
    await until("both are banned", () => running.banned().length === 2);
    const [ban] = running.bans().filter(({ address }) => address === "203.0.113.7");
    expect(ban).toMatchObject({ jail: "synflood", reason: "kernel", target: "default", origin: "local" });
    expect(Date.parse(ban?.until ?? "") - Date.parse(ban?.since ?? "")).toBe(3_600_000);
    expect(Math.abs(Date.parse(ban?.since ?? "") - Date.now())).toBeLessThan(5000);
    expect(running.banned().toSorted()).toEqual(["2001:db8:7::7", "203.0.113.7"]);
    await until(
      "the kernel's own sets are empty",
      () => !/elements = \{[^}]*203\.0\.113\.7 timeout/.test(waiting()),
    );
    await until("the jail's target has the ban and its end", () =>
      /203\.0\.113\.7 timeout (59m|1h)/.test(
        server.run("nft", "list", "set", "inet", "stoplog", "default_v4"),
      ),
    );
    expect(JSON.parse(running.command("why", "203.0.113.7", "--json").output)).toMatchObject({
      banned: true,
      lines: ["counted by the kernel: 5 packets within 60 s"],
    });
    await until("no ban waits", () => running.status().jails[0]?.kernel?.waiting === 0);
    expect(running.status().jails[0]).toMatchObject({
      bans: 2,
      banned: 2,
      capped: 0,
      sources: [],
      kernel: { waiting: 0, full: 0, uncounted: 0 },
    });
    expect(await reaches(attacker, "192.0.2.1", service.port)).toBe(true);
  });

  it("deletes the kernel's count of an unbanned address", async () => {
    const running = await start();
    send(5, "203.0.113.7");
    expect(running.command("unban", "203.0.113.7").output).toContain("Unbanned 203.0.113.7");
    send(4, "203.0.113.7");
    expect(running.command("unban", "203.0.113.7").output).toContain("is not banned");
    send(1, "203.0.113.7");
    await until("the address is banned again", () => running.banned().length === 1);
  });

  it("keeps banning while the daemon is stopped or killed, and the next daemon adopts the bans", async () => {
    const running = await start();
    running.signal("SIGSTOP");
    send(5, "203.0.113.7", "2001:db8:7::7");
    expect(waiting()).toContain("203.0.113.7 timeout 1h");
    expect(waiting()).toContain("2001:db8:7::7 timeout 1h");
    running.resume();
    await until("both are in the book", () => running.banned().length === 2);
    await running.end("SIGKILL");
    send(5, "203.0.113.9");
    expect(waiting()).toContain("203.0.113.9 timeout 1h");
    const next = await start();
    await until("all are in the book", () => next.banned().length === 3);
    await next.end();
    send(5, "203.0.113.10");
    expect(waiting()).toContain("203.0.113.10 timeout 1h");
    const last = await start("--flush-on-exit");
    expect(last.banned()).toHaveLength(4);
    await last.end();
    expect(last.ended).toBe(0);
    expect(server.run("nft", "list", "tables")).toBe("");
  });

  it("removes jails with a reload and no longer bans a newly allow-listed address", async () => {
    const running = await start();
    send(3, "203.0.113.7");
    home.configure(CONFIG.replace("ignoreip: [", "ignoreip: [203.0.113.7, "));
    expect(running.command("reload").status).toBe(0);
    send(9, "203.0.113.7");
    send(5, "203.0.113.8");
    await until("the other is banned", () => running.banned().length === 1);
    expect(running.banned()).toEqual(["203.0.113.8"]);
    home.configure("jails: {}\nstate: HOME/state\n");
    expect(running.command("reload").status).toBe(0);
    expect(waiting()).not.toContain("synflood");
  });

  it("bans no faster than the cap and counts the bans it did not make [limit: packetBans]", async () => {
    home.configure(
      CONFIG.replace("packet_bans: 1000000", "packet_bans: 10").replace("maxretry: 5", "maxretry: 1"),
    );
    const running = await start();
    const sources = Array.from({ length: 200 }, (_, i) => `203.0.113.${i}`).filter(
      (one) => !one.endsWith(".200"),
    );
    send(1, ...sources);
    await until("the cap was counted", () => (running.status().jails[0]?.capped ?? 0) >= 150);
    const banned = running.banned().length;
    expect(banned).toBeGreaterThanOrEqual(10);
    expect(banned).toBeLessThan(50);
  });

  it("throttles in both tables when the jail names no target", async () => {
    home.configure(CONFIG.replace("    target: default\n", ""));
    const running = await start();
    send(5, "203.0.113.7");
    await until("the address is banned", () => running.bans()[0]?.target === "throttle");
    expect(server.run("nft", "list", "chain", "inet", "stoplog", "throttle_verdict")).toContain(
      "limit rate 1/second",
    );
    expect(server.run("nft", "list", "chain", "inet", "stoplog_kernel", "synflood_verdict")).toContain(
      "limit rate 1/second",
    );
  });
});
