import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, join, Namespace, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { EchoService } from "../support/service.ts";
import { until } from "../support/waiting.ts";

const fault =
  namespaceFault() ??
  (hasProgram("nft") && hasProgram("iptables")
    ? null
    : "needs nft and iptables, to look at the kernel from outside");

const SETS = `
table inet admin {
  set blocked4 { type ipv4_addr; }
  set blocked6 { type ipv6_addr; flags timeout; }
}
`;

const CONFIG = `
sources:
  log: { type: file, path: HOME/log }
targets:
  slow: { verdict: throttle, rate: 10/minute, bantime: 3m }
  theirs: { sets: [inet admin blocked4, inet admin blocked6] }
  many:
    - { enforcer: iptables, chain: INPUT }
    - { enforcer: recent, list: BLOCKER }
    - { enforcer: hosts.deny, path: HOME/hosts.deny }
jails:
  steps:
    sources: log
    filter: { failregex: ['step <HOST>$'] }
    maxretry: 3
    steps:
      - { maxretry: 1, target: slow }
      - { maxretry: 3, bantime: 2s }
      - { maxretry: 3, times: 2, bantime: 1w, target: theirs }
  all:
    sources: log
    filter: { failregex: ['fail <HOST>$'], goodregex: ['good <HOST>$'] }
    maxretry: 1
    bantime: 1h
    target: many
    trust_for: 1h
state: HOME/state
`;

describe.skipIf(fault !== null)(titled("stoplog run with many targets", fault), () => {
  const server = useNamespace("targets");
  let home: Home;
  let daemon: RunningDaemon;

  beforeAll(() => {
    server.run("iptables", "-A", "INPUT", "-m", "recent", "--name", "BLOCKER", "--rcheck", "-j", "DROP");
  });
  beforeEach(async () => {
    home = new Home();
    writeFileSync(home.file("log"), "");
    writeFileSync(home.file("hosts.deny"), "# mine\n");
    home.configure(CONFIG);
    server.feed(SETS, "nft", "-f", "-");
    daemon = await RunningDaemon.start(home, server);
  });
  afterEach(async () => {
    await daemon.end();
    server.run("nft", "delete", "table", "inet", "admin");
    home.remove();
  });

  const write = (...lines: string[]): void =>
    appendFileSync(home.file("log"), lines.map((line) => `${new Date().toISOString()} ${line}\n`).join(""));
  const bans = () =>
    daemon
      .bans()
      .map(({ address, target, reason }) => `${address} ${target}: ${reason}`)
      .toSorted();

  it("throttles, then drops, and drops a repeat offender longer in the operator's set", async () => {
    write("step 203.0.113.1");
    await until(
      "the attacker is throttled",
      () => bans().length === 1,
      () => daemon.log,
    );
    expect(bans()).toEqual(["203.0.113.1 slow: 1 failure"]);
    write("step 203.0.113.1", "step 203.0.113.1");
    await until(
      "the attacker is banned as well",
      () => bans().length === 2,
      () => daemon.log,
    );
    expect(bans()[0]).toBe("203.0.113.1 default: 3 failures in 10m");
    await until(
      "that ban has expired",
      () => bans().length === 1,
      () => daemon.log,
    );
    write("step 203.0.113.1", "step 203.0.113.1", "step 203.0.113.1");
    await until(
      "the attacker is banned for long",
      () => bans().length === 2,
      () => daemon.log,
    );
    expect(bans()).toContain("203.0.113.1 theirs: 3 failures in 10m, banned once before");
    await until("the operator's set has the ban", () =>
      server.run("nft", "list", "set", "inet", "admin", "blocked4").includes("203.0.113.1"),
    );
    expect(daemon.command("unban", "203.0.113.1").status).toBe(0);
    expect(bans()).toEqual([]);
    await until("the kernel has no ban", () => !server.run("nft", "list", "ruleset").includes("203.0.113.1"));
  });

  it("bans in several ways at once, keeps the bans over a restart, and unbans all after a good line", async () => {
    const rules = (): string => server.run("iptables", "-S", "stoplog-many");
    const deny = (): string => readFileSync(home.file("hosts.deny"), "latin1");
    const recent = (): string => server.run("cat", "/proc/net/xt_recent/BLOCKER");
    write("fail 203.0.113.2", "fail 203.0.113.3");
    await until(
      "both are in hosts.deny",
      () => deny().includes("203.0.113.3"),
      () => daemon.log,
    );
    await until(
      "both are in the rules",
      () => rules().includes("203.0.113.3"),
      () => daemon.log,
    );
    expect(recent()).toContain("src=203.0.113.3");
    // Bans are on disk a tenth of a second after they change; a crash before that loses them.
    await until(
      "both are on disk",
      () => readFileSync(home.file("state/bans.jsonl"), "utf8").includes("203.0.113.3"),
      () => daemon.log,
    );
    await daemon.end("SIGKILL");
    daemon = await RunningDaemon.start(home, server);
    expect(rules().match(/203\.0\.113\.3/g)).toHaveLength(1);
    write("good 203.0.113.2", "fail 203.0.113.2");
    await until(
      "the address is unbanned",
      () => bans().length === 1,
      () => daemon.log,
    );
    await until(
      "and in no rule",
      () => !rules().includes("203.0.113.2"),
      () => daemon.log,
    );
    await until(
      "nor in hosts.deny",
      () => !deny().includes("203.0.113.2"),
      () => daemon.log,
    );
    expect(recent()).not.toContain("src=203.0.113.2 ");
    expect(deny()).toMatch(/^# mine\n# stoplog:\d+ many\nALL: 203\.0\.113\.3\n$/);
    const why = daemon.command("why", "203.0.113.2");
    expect(why.output).toContain("it is trusted");
    // Trusted addresses stay trusted over a restart.
    await daemon.end();
    daemon = await RunningDaemon.start(home, server);
    write("fail 203.0.113.2", "fail 203.0.113.4");
    await until(
      "another is banned",
      () => bans().some((ban) => ban.startsWith("203.0.113.4")),
      () => daemon.log,
    );
    expect(bans().some((ban) => ban.startsWith("203.0.113.2 "))).toBe(false);
  });
});

describe.skipIf(fault !== null)(titled("stoplog run with reset_connections", fault), () => {
  it("cuts the open connection of a banned address, and another one after a further line", async () => {
    const server = Namespace.create("reset");
    const client = Namespace.create("client");
    const home = new Home();
    join(
      { namespace: server, addresses: ["192.0.2.1/24"] },
      { namespace: client, addresses: ["192.0.2.66/24"] },
    );
    const service = await EchoService.start(server);
    writeFileSync(home.file("log"), "");
    home.configure(`
sources: { log: { type: file, path: HOME/log } }
# Another port: the banned can connect again.
targets: { default: { reset_connections: true, ports: [9] } }
jails: { all: { sources: log, filter: { failregex: ['fail <HOST>$'] }, maxretry: 1 } }
state: false
`);
    const daemon = await RunningDaemon.start(home, server);
    const sockets: Socket[] = [];
    try {
      for (const times of [1, 2]) {
        const { socket } = await client.inside(async () => {
          const made = connect({ host: "192.0.2.1", port: service.port });
          await once(made, "connect");
          return { socket: made };
        });
        socket.on("error", () => undefined);
        sockets.push(socket);
        appendFileSync(home.file("log"), `${new Date().toISOString()} fail 192.0.2.66\n`);
        await until(
          `${times} sockets were cut`,
          () => (daemon.status().connections?.sockets ?? 0) === times,
          () => daemon.log,
        );
        await until(
          "the service has none left",
          () => !server.run("ss", "-tnH", "state", "established").includes("192.0.2.66"),
        );
      }
    } finally {
      for (const socket of sockets) socket.destroy();
      await daemon.end();
      service.stop();
      for (const namespace of [server, client]) namespace.remove();
      home.remove();
    }
  });
});
