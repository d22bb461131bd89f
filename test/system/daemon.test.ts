import { appendFileSync, chmodSync, existsSync, writeFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { useServerAndAttacker } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { answers, EchoService, reaches, tryConnect } from "../support/service.ts";
import { until } from "../support/waiting.ts";

const fault =
  namespaceFault() ??
  (hasProgram("nft") ? null : "needs nft of nftables, to look at the kernel from outside");
const SERVER = { v4: "192.0.2.1", v6: "2001:db8::1" };
const ATTACKER = { v4: "192.0.2.66", v6: "2001:db8::66" };

const CONFIG = `
sources:
  auth: { type: file, path: HOME/auth.log }
jails:
  sshd: { sources: auth, filter: sshd, maxretry: 3, findtime: 10m, bantime: 3s }
state: HOME/state
`;

/** Lines of sshd in the format of Debian 12's rsyslog. */
function failures(address: string, times: number): string {
  const line = `${new Date().toISOString()} host sshd[4711]: Failed password for root from ${address} port 40022 ssh2\n`;
  return line.repeat(times);
}

describe.skipIf(fault !== null)(titled("stoplog run, with real packets", fault), () => {
  const { server, attacker } = useServerAndAttacker(
    [`${SERVER.v4}/24`, `${SERVER.v6}/64`],
    [`${ATTACKER.v4}/24`, `${ATTACKER.v6}/64`],
  );
  let service: EchoService;
  let home: Home;
  let daemon: RunningDaemon | null = null;

  beforeAll(async () => {
    service = await EchoService.start(server);
  });
  afterAll(() => {
    service?.stop();
  });
  beforeEach(() => {
    home = new Home();
    writeFileSync(home.file("auth.log"), "");
    home.configure(CONFIG);
  });
  afterEach(async () => {
    await daemon?.end();
    daemon = null;
    server.run("nft", "flush", "ruleset");
    home.remove();
  });

  const start = async (options: Parameters<typeof RunningDaemon.start>[2] = {}): Promise<RunningDaemon> => {
    daemon = await RunningDaemon.start(home, server, options);
    return daemon;
  };
  const attack = (address: string, times = 3): void =>
    appendFileSync(home.file("auth.log"), failures(address, times));

  it.each(["v4", "v6"] as const)(
    "stops new and open connections of a banned %s attacker until bantime is over",
    async (family) => {
      const running = await start();
      const open = await tryConnect(attacker, SERVER[family], service.port);
      if (open === null) throw new Error("the attacker cannot reach the server before the ban");
      expect(await answers(open)).toBe(true);
      attack(ATTACKER[family]);
      await until("the ban is made", () => running.banned().length > 0);
      expect(running.banned()).toEqual([ATTACKER[family]]);
      expect(await answers(open)).toBe(false);
      expect(await reaches(attacker, SERVER[family], service.port)).toBe(false);
      await until("the ban has ended", () => reaches(attacker, SERVER[family], service.port));
      await until("the book knows", () => running.bans().length === 0);
      open.destroy();
    },
  );

  it("bans a network by hand, explains the ban, and unbans it", async () => {
    const running = await start();
    expect(running.command("ban", "192.0.2.64/26", "--for", "1h")).toMatchObject({ status: 0 });
    expect(await reaches(attacker, SERVER.v4, service.port)).toBe(false);
    expect(await reaches(attacker, SERVER.v6, service.port)).toBe(true);
    expect(running.command("why", ATTACKER.v4).output).toContain("192.0.2.64/26");
    expect(running.command("unban", "192.0.2.64/26")).toMatchObject({ status: 0 });
    expect(await reaches(attacker, SERVER.v4, service.port)).toBe(true);
    expect(running.command("unban", "192.0.2.64/26")).toMatchObject({ status: 1 });
  });

  it("shows the lines behind a ban", async () => {
    home.configure(CONFIG.replace("bantime: 3s", "bantime: 1h"));
    const running = await start();
    attack(ATTACKER.v4);
    await until("the ban is made", () => running.banned().length > 0);
    const why = JSON.parse(running.command("why", ATTACKER.v4, "--json").output) as {
      lines: string[];
      summary: string;
    };
    expect(why.lines).toHaveLength(3);
    expect(why.lines[0]).toContain("Failed password for root from 192.0.2.66 port 40022");
    expect(why.summary).toContain("3 failures in 10m");
  });

  it("leaves its bans in the kernel on SIGTERM and adopts them at the next start", async () => {
    const first = await start();
    first.command("ban", ATTACKER.v4, "--for", "1h");
    await first.end("SIGTERM");
    expect(await reaches(attacker, SERVER.v4, service.port)).toBe(false);
    const second = await start();
    expect(second.bans()).toMatchObject([{ address: ATTACKER.v4, reason: "by hand" }]);
    expect(second.command("unban", ATTACKER.v4).status).toBe(0);
    expect(await reaches(attacker, SERVER.v4, service.port)).toBe(true);
  });

  it("loses nothing on SIGKILL: bans hold; counters and positions continue", async () => {
    home.configure(CONFIG.replace("bantime: 3s", "bantime: 1h"));
    const first = await start();
    attack(ATTACKER.v4);
    attack("198.51.100.7", 2);
    await until("both are known", () => first.status().jails[0]?.counted === 5);
    await until("progress is saved", () => existsSync(home.file("state/progress")));
    await new Promise((resolve) => setTimeout(resolve, 400)); // bans are written to disk 0.1 s later
    await first.end("SIGKILL");
    expect(await reaches(attacker, SERVER.v4, service.port)).toBe(false);
    attack("198.51.100.7", 1);
    const second = await start();
    await until("the third failure bans", () => second.banned().length === 2);
    expect(second.banned()).toEqual([ATTACKER.v4, "198.51.100.7"]);
    expect(await reaches(attacker, SERVER.v4, service.port)).toBe(false);
  });

  it("adopts the kernel's bans when its own state is lost", async () => {
    const first = await start();
    first.command("ban", ATTACKER.v4, "--for", "1h");
    await first.end("SIGKILL");
    home.remove();
    home = new Home();
    writeFileSync(home.file("auth.log"), "");
    home.configure(CONFIG);
    const second = await start();
    expect(second.bans()).toMatchObject([{ address: ATTACKER.v4, reason: "found in the firewall" }]);
  });

  it("removes everything at exit with --flush-on-exit", async () => {
    const running = await start({ args: ["--flush-on-exit"] });
    running.command("ban", ATTACKER.v4);
    await running.end();
    expect(server.run("nft", "list", "ruleset")).not.toContain("stoplog");
    expect(await reaches(attacker, SERVER.v4, service.port)).toBe(true);
  });

  it("restores its table after the firewall is flushed", async () => {
    const running = await start();
    running.command("ban", ATTACKER.v4, "--for", "1h");
    server.run("sh", "-c", "nft delete table inet stoplog 2>/dev/null || nft flush ruleset");
    await until("the ban holds again", async () => !(await reaches(attacker, SERVER.v4, service.port)));
    expect(running.ruleset()).toContain(ATTACKER.v4);
  });

  it("reloads a configuration without losing bans; a bad one changes nothing", async () => {
    const running = await start();
    running.command("ban", ATTACKER.v4, "--for", "1h");
    home.configure(CONFIG.replace("maxretry: 3", "maxretry: 0"));
    const refused = running.command("reload");
    expect(refused.status).toBe(2);
    expect(refused.error + refused.output).toMatch(
      /Cannot use jail sshd: maxretry must be 1 or more \(.*stoplog\.yaml:5:\d+\)/,
    );
    attack("198.51.100.7", 3);
    await until("the old rule still bans", () => running.banned().includes("198.51.100.7"));
    home.configure(CONFIG.replace("maxretry: 3", "maxretry: 1"));
    chmodSync(home.file("stoplog.yaml"), 0o666);
    const open = running.command("reload");
    expect([open.status, open.error + open.output]).toEqual([
      2,
      expect.stringMatching(
        /Cannot use .*stoplog\.yaml: every user can write it \(mode 666\); cure: chmod o-w \//,
      ),
    ]);
    expect(running.status().jails[0]?.maxretry).toBe(3);
    chmodSync(home.file("stoplog.yaml"), 0o644);
    running.signal("SIGHUP");
    await until("the new rule is there", () => running.status().jails[0]?.maxretry === 1);
    attack("198.51.100.8", 1);
    await until("the new rule bans", () => running.banned().includes("198.51.100.8"));
    expect(await reaches(attacker, SERVER.v4, service.port)).toBe(false);
  });

  it("limits a ban to the ports of its target", async () => {
    const other = await EchoService.start(server, 3333);
    home.configure(`${CONFIG}targets:\n  default: { verdict: reject, ports: [2222] }\n`);
    const running = await start();
    running.command("ban", ATTACKER.v4, ATTACKER.v6, "--for", "1h");
    expect(await reaches(attacker, SERVER.v4, 2222)).toBe(false);
    expect(await reaches(attacker, SERVER.v6, 2222)).toBe(false);
    expect(await reaches(attacker, SERVER.v4, 3333)).toBe(true);
    other.stop();
  });

  it("refuses to start beside another daemon", async () => {
    const running = await start();
    const second = await RunningDaemon.fail(home, server);
    expect(second.status).toBe(2);
    expect(second.log).toContain(
      `Cannot listen on ${home.file("control.sock")}: another stoplog is running there`,
    );
    expect(running.status().jails).toHaveLength(1);
  });

  it("reports in one line that CAP_NET_ADMIN is missing", async () => {
    const failed = await RunningDaemon.fail(home, server, {
      command: [
        "setpriv",
        "--bounding-set=-net_admin",
        "--inh-caps=-net_admin",
        "--",
        `${process.cwd()}/bin/stoplog`,
      ],
    });
    expect(failed.status).toBe(2);
    expect(failed.log).toMatch(/error Cannot use nftables: CAP_NET_ADMIN is missing/);
  });

  it("waits for a log that does not exist yet", async () => {
    home.configure(CONFIG.replace("auth.log", "later.log"));
    const running = await start();
    expect(running.status().sources[0]?.state).toBe(`waits for ${home.file("later.log")}`);
    writeFileSync(home.file("later.log"), failures(ATTACKER.v4, 3));
    await until("the new file's lines ban", () => running.banned().length > 0);
  });
});
