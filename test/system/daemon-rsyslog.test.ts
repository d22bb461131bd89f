import { type ChildProcess, execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { RSYSLOG } from "../support/log-daemon.ts";
import { useServerAndAttacker } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { EchoService, reaches } from "../support/service.ts";
import { until } from "../support/waiting.ts";

const missing = ["rsyslogd", "logger", "nft"].filter((program) => !hasProgram(program));
const fault = namespaceFault() ?? (missing.length > 0 ? `needs ${missing.join(" and ")}` : null);

describe.skipIf(fault !== null)(titled("rsyslogd configured as the guide says", fault), () => {
  const { server, attacker } = useServerAndAttacker();
  let service: EchoService;
  let home: Home;
  let daemon: RunningDaemon;
  let rsyslog: ChildProcess;

  beforeAll(async () => {
    service = await EchoService.start(server);
  });
  afterAll(() => {
    service?.stop();
  });
  beforeEach(async () => {
    home = new Home();
    home.configure(`
sources:
  syslog: { type: syslog, listen: "unix:HOME/syslog.sock" }
jails:
  sshd: { sources: syslog, filter: sshd, maxretry: 3, bantime: 6s }
state: HOME/state
`);
    daemon = await RunningDaemon.start(home, server);
    writeFileSync(
      home.file("rsyslog.conf"),
      `module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="${home.file("log")}" RateLimit.Interval="0")
${RSYSLOG.recommended(home)}`,
    );
    rsyslog = server.spawn("rsyslogd", [
      "-n",
      "-f",
      home.file("rsyslog.conf"),
      "-i",
      home.file("rsyslog.pid"),
    ]);
    await until("rsyslogd listens", () => existsSync(home.file("log")));
  });
  afterEach(async () => {
    const ended = new Promise((resolve) => rsyslog.once("exit", resolve));
    rsyslog.kill();
    await ended;
    await daemon.end();
    home.remove();
  });

  /** Logs a message as sshd does, through rsyslog's socket. */
  const say = (message: string): void => {
    execFileSync("logger", [
      "--socket",
      home.file("log"),
      "--priority",
      "auth.info",
      "--tag",
      "sshd",
      "--id=4711",
      message,
    ]);
  };
  const fail = (address: string, times: number): void => {
    for (let i = 0; i < times; i++) say(`Failed password for root from ${address} port ${40_000 + i} ssh2`);
  };

  it.each([
    ["192.0.2.66", "192.0.2.1"],
    ["2001:db8::66", "2001:db8::1"],
  ])("bans %s, drops its packets, and unbans it after bantime", async (from, to) => {
    expect(await reaches(attacker, to, service.port)).toBe(true);
    fail(from, 2);
    await until("two are counted", () => daemon.status().jails[0]?.counted === 2);
    fail(from, 1);
    await until("the ban is made", () => daemon.banned().includes(from));
    expect(await reaches(attacker, to, service.port)).toBe(false);
    await until("the address is unbanned", () => reaches(attacker, to, service.port));
  });

  it("counts repeated messages of rsyslog, and forgets failures at a successful login", async () => {
    fail("192.0.2.66", 2);
    say("Accepted publickey for alice from 192.0.2.66 port 40022 ssh2: ED25519 SHA256:abc");
    fail("192.0.2.66", 2);
    await until("all are seen", () => daemon.status().jails[0]?.counted === 4);
    expect(daemon.banned()).toEqual([]);
    say("message repeated 2 times: [ Failed password for root from 198.51.100.7 port 40022 ssh2]");
    await until("both count", () => daemon.status().jails[0]?.counted === 6);
  });
});
