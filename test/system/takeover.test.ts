import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { askTakeover } from "../../src/api/ask-takeover.ts";
import { DescriptorChannel } from "../../src/kernel/native/descriptor-channel.ts";
import { AF_UNIX, loadNative, openSocket, SOCK_CLOEXEC, SOCK_DGRAM } from "../../src/kernel/native/libc.ts";
import { unixSocketAddress } from "../../src/kernel/native/socket-address.ts";
import { duplicate } from "../../src/kernel/native/passed-sockets.ts";
import { ownSockets } from "../../src/kernel/native/socket-names.ts";
import { useNamespace } from "../support/hosts.ts";
import { LineFlow } from "../support/line-flow.ts";
import { namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault();

// Each address fails twice at most: one failure that is counted twice, or lost, shows in the number of bans.
const CONFIG = `
state: HOME/state
sources:
  auth: { type: file, path: HOME/auth.log }
  udp: { type: syslog, listen: "udp:127.0.0.1:5514" }
  unix: { type: syslog, listen: "unix:HOME/syslog.sock" }
targets: { default: { enforcer: nftables } }
jails:
  all:
    sources: [auth, udp, unix]
    filter: { failregex: 'fail <HOST>$' }
    maxretry: 2
    findtime: 1h
    bantime: 1h
`;
const UDP = { to: "udp:127.0.0.1:5514", perSecond: 1000, net: 10 };

describe.skipIf(fault !== null)(titled("a takeover", fault), () => {
  const namespace = useNamespace("takeover");
  let home: Home;
  let daemons: RunningDaemon[];
  beforeEach(() => {
    home = new Home();
    daemons = [];
    home.configure(CONFIG);
    writeFileSync(home.file("auth.log"), "");
  });
  afterEach(async () => {
    for (const daemon of daemons) await daemon.end();
    namespace.run("nft", "flush", "ruleset"); // bans outlast a daemon
    home.remove();
  });

  const start = async (options: Parameters<typeof RunningDaemon.start>[2] = {}): Promise<RunningDaemon> => {
    const daemon = await RunningDaemon.start(home, namespace, options);
    daemons.push(daemon);
    return daemon;
  };
  const ended = (daemon: RunningDaemon): Promise<void> =>
    until(
      "the daemon ends",
      () => daemon.ended !== null,
      () => daemon.log,
    );
  const allBanned = (daemon: RunningDaemon, bans: number): Promise<void> =>
    until(
      `${bans} bans`,
      () => daemon.status().book.bans >= bans,
      () => `${daemon.status().book.bans} bans`,
    );
  const toUnix = { to: "", perSecond: 2000, net: 11 };

  it("loses no datagram and no line, and counts none twice", async () => {
    const old = await start();
    const unix = { ...toUnix, to: `unix:${home.file("syslog.sock")}` };
    const most = 1 << 20;
    const flows = [new LineFlow(namespace, { ...UDP, most }), new LineFlow(namespace, { ...unix, most })];
    let lines = 0;
    const writing = setInterval(
      () => appendFileSync(home.file("auth.log"), `fail 12.0.${lines >> 8}.${lines++ & 255}\n`),
      1,
    );
    await until("lines are counted", () => old.status().sources.every((source) => source.lines > 100));
    const before = old.pid;
    const heir = await start({ args: ["--takeover"] });
    await ended(old);
    expect(old).toMatchObject({ ended: 0, log: expect.stringContaining("has taken over") });
    expect(heir.pid).not.toBe(before);
    await until("lines are counted", () => heir.status().sources.every((source) => source.lines > 100));
    clearInterval(writing);
    const [udpSent = 0, unixSent = 0] = await Promise.all(flows.map((flow) => flow.stop()));
    await sleep(300);
    expect(heir.status()).toMatchObject({ state: "healthy", warnings: [] });
    expect(heir.bans().map(({ address }) => address)).toEqual([]);

    await Promise.all([
      new LineFlow(namespace, { ...UDP, most: udpSent }).end(),
      new LineFlow(namespace, { ...unix, most: unixSent }).end(),
    ]);
    for (let i = 0; i < lines; i++) appendFileSync(home.file("auth.log"), `fail 12.0.${i >> 8}.${i & 255}\n`);
    await allBanned(heir, udpSent + unixSent + lines);
    expect(heir.status().book.bans).toBe(udpSent + unixSent + lines);
  });

  it("can follow another one, and the last daemon leaves neither sockets nor locks", async () => {
    const first = await start();
    first.command("ban", "203.0.113.5", "--for", "1h");
    const second = await start({ args: ["--takeover"] });
    await ended(first);
    const third = await start({ args: ["--takeover"] });
    await ended(second);
    expect(third.banned()).toEqual(["203.0.113.5"]);
    expect(readFileSync(home.file("control.sock.lock"), "utf8")).toBe(`${third.pid}\n`);
    await third.end();
    for (const name of [
      "control.sock",
      "control.sock.lock",
      "syslog.sock",
      "control.sock.takeover",
      "state/lock",
    ])
      expect(existsSync(home.file(name)), name).toBe(false);
  });

  it("starts as usual when no daemon runs", async () => {
    const daemon = await start({ args: ["--takeover"] });
    expect(daemon.log).toContain("starting as usual");
    expect(daemon.status().state).toBe("healthy");
  });

  it("with a wrong configuration leaves the running daemon alone", async () => {
    const old = await start();
    const { pid } = old;
    home.configure("jails: { all: { maxretry: many } }");
    const { status } = await RunningDaemon.fail(home, namespace, { args: ["--takeover"] });
    expect(status).toBe(2);
    expect(old.ended).toBe(null);
    expect(old.pid).toBe(pid);
    await new LineFlow(namespace, { ...UDP, most: 100 }).end();
    await new LineFlow(namespace, { ...UDP, most: 100 }).end();
    await allBanned(old, 100);
    expect(old.log).not.toContain("Handing over");
  });

  it("by a process that ends in the middle: the old daemon starts again, and has lost nothing", async () => {
    const old = await start();
    old.command("ban", "203.0.113.5", "--for", "1h");
    const never = new AbortController().signal;
    const coming = DescriptorChannel.listen(home.file("control.sock.takeover"), never);
    expect(await askTakeover(home.file("control.sock"))).toBe(true);
    const channel = await coming;
    const parcel = await channel.receive(never);
    expect(parcel?.descriptors.length).toBeGreaterThan(5);

    // Now no daemon runs, and the sockets and locks are here.
    await new LineFlow(namespace, { ...UDP, most: 500 }).end();
    const third = await RunningDaemon.fail(home, namespace);
    expect(third).toMatchObject({ status: 2, log: expect.stringContaining("another stoplog is running") });
    for (const fd of parcel?.descriptors ?? []) loadNative().libc.close(fd);
    channel.close();

    await until(
      "it watches again",
      () => old.log.split(" watches ").length === 3,
      () => old.log,
    );
    expect(old.status().state).toBe("healthy");
    await new LineFlow(namespace, { ...UDP, most: 500 }).end();
    await allBanned(old, 501);
    expect(old.banned()).toContain("203.0.113.5");
    // It can be taken over once more.
    const heir = await start({ args: ["--takeover"] });
    await ended(old);
    expect(heir.status().book.bans).toBe(501);
  });

  it("with fewer sources removes the paths of the others", async () => {
    const old = await start();
    const sources = /  unix:.*\n|, unix/g;
    home.configure(CONFIG.replaceAll(sources, ""));
    const heir = await start({ args: ["--takeover"] });
    await ended(old);
    expect(existsSync(home.file("syslog.sock"))).toBe(false);
    expect(heir.status()).toMatchObject({ state: "healthy", warnings: [] });
  });

  it.each(["SIGKILL", "SIGTERM"] as const)(
    "of a daemon that ends by %s in the middle goes on",
    async (signal) => {
      const old = await start();
      old.command("ban", "203.0.113.5", "--for", "1h");
      const { pid } = old;
      const coming = start({ args: ["--takeover"] });
      coming.catch(() => undefined); // it is awaited below
      await until(
        "it hands over",
        () => old.log.includes("Handing over"),
        () => old.log,
      );
      process.kill(pid, signal);
      const heir = await coming;
      expect(heir.status().state).toBe("healthy");
      expect(heir.banned()).toEqual(["203.0.113.5"]);
      await new LineFlow(namespace, { ...UDP, most: 100 }).end();
      await new LineFlow(namespace, { ...UDP, most: 100 }).end();
      await allBanned(heir, 101);
    },
  );

  it("by a process that gets SIGTERM before it watches ends with the old one starting again", async () => {
    const old = await start();
    old.command("ban", "203.0.113.5", "--for", "1h");
    const { pid } = old;
    const ending = RunningDaemon.fail(home, namespace, { args: ["--takeover"] });
    const heir = (): string | undefined => /Handing over to process (\d+)/.exec(old.log)?.[1];
    await until(
      "it hands over",
      () => heir() !== undefined,
      () => old.log,
    );
    process.kill(Number(heir()), "SIGTERM");
    await ending;
    await until(
      "the old one watches again",
      () => old.log.includes("starting again") && old.command("status").status === 0,
      () => old.log,
    );
    expect(old.pid).toBe(pid);
    expect(old.banned()).toEqual(["203.0.113.5"]);
  });

  it("of a daemon that systemd runs is refused", async () => {
    const command = ["env", "NOTIFY_SOCKET=/nonexistent/notify", `${process.cwd()}/bin/stoplog`];
    const old = await start({ command });
    const { status, log } = await RunningDaemon.fail(home, namespace, { args: ["--takeover"] });
    expect(status).toBe(2);
    expect(log).toContain("Cannot hand over: systemd runs this daemon");
    expect(old.status().state).toBe("healthy");
  });

  it("sockets of systemd: a restart loses no datagram", async () => {
    const { libc } = loadNative();
    const unix = openSocket(libc, "open a socket", [AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0]);
    const address = unixSocketAddress(home.file("syslog.sock"));
    expect(libc.bind(unix, address, address.length)).toBe(0);
    const udp = await namespace.inside(async () => {
      const socket = createSocket("udp4").bind(5514, "127.0.0.1");
      await once(socket, "listening");
      // A descriptor that nothing reads here.
      const fd = duplicate(ownSockets().find(({ name }) => name === UDP.to)!.fd);
      socket.close();
      return fd;
    });
    const first = await start({ sockets: [udp, unix] });
    expect(first.status()).toMatchObject({ state: "healthy", warnings: [] });
    await new LineFlow(namespace, { ...UDP, most: 500 }).end();
    await until("they are counted", () => first.status().sources.some(({ lines }) => lines === 500));
    await first.end();
    // While no daemon runs, the kernel keeps them.
    await new LineFlow(namespace, { ...UDP, most: 500 }).end();
    await new LineFlow(namespace, { ...toUnix, to: `unix:${home.file("syslog.sock")}`, most: 10 }).end();
    const second = await start({ sockets: [udp, unix] });
    await allBanned(second, 500);
    await new LineFlow(namespace, { ...toUnix, to: `unix:${home.file("syslog.sock")}`, most: 10 }).end();
    await allBanned(second, 510);
    expect(second.status().book.bans).toBe(510);
    await second.end();
    expect(existsSync(home.file("syslog.sock"))).toBe(true);
    for (const fd of [udp, unix]) libc.close(fd);
  });
});
