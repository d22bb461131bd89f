import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { unpackedAt } from "../../scripts/debian-packages.mjs";
import type { ListedBan } from "../../src/api/wire.ts";
import { useNamespace } from "../support/hosts.ts";
import { namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const UNPACKED = unpackedAt("fail2ban");
const fault =
  namespaceFault() ??
  (existsSync(UNPACKED) ? null : "needs fail2ban in .cache/debian (npm test unpacks it there)") ??
  (existsSync("/usr/bin/python3") ? null : "needs /usr/bin/python3");

/** Jails of fail2ban's stock configuration, each with its log and a failure in it. */
const JAILS = {
  sshd: {
    log: "auth.log",
    line: (a: string) => `${syslogTime()} host sshd[812]: Failed password for root from ${a} port 50112 ssh2`,
  },
  "nginx-http-auth": {
    log: "error.log",
    line: (a: string) =>
      `${day()} [error] 7#7: *31 user "admin": password mismatch, client: ${a}, server: _, request: "GET / HTTP/1.1", host: "example.com"`,
  },
  postfix: {
    log: "mail.log",
    line: (a: string) =>
      `${syslogTime()} host postfix/smtpd[9]: NOQUEUE: reject: RCPT from unknown[${a}]: 554 5.7.1 <a@example.net>: Relay access denied; from=<b@example.org> to=<a@example.net> proto=ESMTP helo=<x>`,
  },
  dovecot: {
    log: "mail.log",
    line: (a: string) =>
      `${syslogTime()} host dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<eve>, method=PLAIN, rip=${a}, lip=198.51.100.1, session=<Xk1>`,
  },
} as const;

describe.skipIf(fault !== null)(titled("stoplog adopt fail2ban", fault), () => {
  const namespace = useNamespace("adopt");
  let home: Home;
  let server: ChildProcess | null;
  let daemon: RunningDaemon | null;
  beforeEach(() => {
    home = new Home();
    server = daemon = null;
    home.configure("state: HOME/state\n");
    cpSync(join(UNPACKED, "etc/fail2ban"), home.file("fail2ban"), { recursive: true });
    rmSync(home.file("fail2ban/jail.d"), { recursive: true, force: true });
    for (const { log } of Object.values(JAILS)) writeFileSync(home.file(log), "");
    writeFileSync(home.file("fail2ban.log"), "");
    const at = (name: string): string => `${name} = ${home.file(`fail2ban.${name}`)}`;
    writeFileSync(
      home.file("fail2ban/fail2ban.local"),
      `[Definition]\nlogtarget = ${home.file("fail2ban.log")}\n${at("socket")}\n${at("pidfile")}\n${at("dbfile")}\n`,
    );
    writeFileSync(home.file("fail2ban/jail.local"), jailLocal(home));
  });
  afterEach(async () => {
    await daemon?.end();
    if (server !== null && server.exitCode === null) {
      const ended = once(server, "exit");
      server.kill("SIGTERM");
      await ended;
    }
    namespace.run("nft", "flush", "ruleset"); // bans outlast a daemon
    home.remove();
  });

  const program = (name: string, ...args: readonly string[]): readonly string[] => [
    "/usr/bin/env",
    `PYTHONPATH=${join(UNPACKED, "usr/lib/python3/dist-packages")}`,
    "/usr/bin/python3",
    join(UNPACKED, "usr/bin", name),
    "-c",
    home.file("fail2ban"),
    ...args,
  ];
  const client = (...args: readonly string[]): string => {
    const [file = "", ...rest] = program("fail2ban-client", ...args);
    return namespace.run(file, ...rest);
  };
  /** fail2ban's bans by its own client: the end in ms by 'JAIL ADDRESS'. */
  const theirs = (): ReadonlyMap<string, number> =>
    new Map(
      [...Object.keys(JAILS), "recidive"].flatMap((jail) =>
        [...client("get", jail, "banip", "--with-time").matchAll(/^(\S+) .* = (\S+) (\S+)$/gm)].map(
          ([, address = "", date = "", time = ""]) =>
            [`${jail} ${address}`, Date.parse(`${date}T${time}`)] as const,
        ),
      ),
    );
  const ours = (bans: readonly ListedBan[]): ReadonlyMap<string, number> =>
    new Map(bans.map((ban) => [`${ban.jail} ${ban.address}`, Date.parse(ban.until ?? "")]));

  it("bans the same addresses to the same second, while fail2ban runs and after it", async () => {
    const [file = "", ...args] = program("fail2ban-server", "-f", "start");
    server = namespace.spawn(file, args);
    const log = (): string => readFileSync(home.file("fail2ban.log"), "utf8");
    await until("fail2ban's jails run", () => (log().match(/Jail '\S+' started/g) ?? []).length === 5, log);
    Object.values(JAILS).forEach(({ log: name, line }, index) => {
      for (const host of [1, 2]) {
        const text = `${line(`203.0.113.${index * 10 + host}`)}\n`;
        appendFileSync(home.file(name), text + text);
      }
    });
    // Each address once by its jail and once by recidive, which reads these bans.
    await until("fail2ban has banned", () => (log().match(/ Ban /g) ?? []).length >= 16, log);
    await until("its database has them", () => theirs().size === 16, log);
    const before = theirs();

    const args2 = ["--fail2ban", home.file("fail2ban")];
    const running = (daemon = await RunningDaemon.start(home, namespace, { args: args2 }));
    const db = home.file("fail2ban.dbfile");
    const shown = running.command("adopt", "fail2ban", "--db", db, "--dry-run", "--json");
    expect((JSON.parse(shown.output) as { bans: unknown[] }).bans).toHaveLength(16);
    expect(running.banned()).toEqual([]);
    const adopted = running.command("adopt", "fail2ban", "--db", db);
    expect(adopted.error + adopted.output).toContain("16 bans adopted");
    const after = ours(running.bans());
    expect([...after.keys()].toSorted()).toEqual([...before.keys()].toSorted());
    for (const [ban, end] of before)
      expect(Math.abs((after.get(ban) ?? 0) - end), ban).toBeLessThanOrEqual(1000);
    expect(running.ruleset()).toContain("203.0.113.31");
    // A second time changes nothing, and neither does the end of fail2ban, which empties its own chains.
    expect(running.command("adopt", "fail2ban", "--db", db).output).toContain(
      "0 bans adopted, 16 with nothing to do",
    );
    client("stop");
    await until("fail2ban has ended", () => server?.exitCode !== null);
    expect(running.ruleset()).not.toContain("f2b-table");
    expect(ours(running.bans())).toEqual(after);
    expect(running.command("adopt", "fail2ban", "--db", db).output).toContain("16 with nothing to do");
  });
});

function jailLocal(home: Home): string {
  const jails = Object.entries(JAILS).map(
    ([name, { log }]) => `[${name}]\nenabled = true\nlogpath = ${home.file(log)}\n`,
  );
  return `[DEFAULT]
backend = polling
banaction = nftables
banaction_allports = nftables[type=allports]
ignoreself = false
maxretry = 2
bantime = 1h
bantime.increment = true
${jails.join("")}
[recidive]
enabled = true
maxretry = 1
logpath = ${home.file("fail2ban.log")}
`;
}

/** `Nov 20 15:00:00`, in local time. */
function syslogTime(): string {
  const now = new Date();
  const month = now.toLocaleString("en", { month: "short" });
  return `${month} ${String(now.getDate()).padStart(2)} ${now.toTimeString().slice(0, 8)}`;
}

/** `2026/11/20 15:00:00`, in local time. */
function day(): string {
  const now = new Date();
  const date = [now.getFullYear(), now.getMonth() + 1, now.getDate()];
  return `${date.map((part) => String(part).padStart(2, "0")).join("/")} ${now.toTimeString().slice(0, 8)}`;
}
