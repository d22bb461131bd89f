import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { useNamespace } from "../support/hosts.ts";
import { namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault();

describe.skipIf(fault !== null)(titled("stoplog run --fail2ban", fault), () => {
  const namespace = useNamespace("f2bdir");
  let home: Home;
  let daemon: RunningDaemon | null;
  beforeEach(() => {
    home = new Home();
    daemon = null;
    home.configure("state: HOME/state\n");
    mkdirSync(home.file("fail2ban/filter.d"), { recursive: true });
    mkdirSync(home.file("fail2ban/action.d"));
    writeFileSync(home.file("door.log"), "");
    filter("^ no key for <HOST>$");
    jails("ignorecommand = /bin/true <F-USER>\n");
  });
  afterEach(async () => {
    await daemon?.end();
    namespace.run("nft", "flush", "ruleset"); // bans outlast a daemon
    home.remove();
  });

  const filter = (failregex: string): void =>
    writeFileSync(home.file("fail2ban/filter.d/door.conf"), `[Definition]\nfailregex = ${failregex}\n`);
  const jails = (more: string): void =>
    writeFileSync(
      home.file("fail2ban/jail.local"),
      `[door]\nenabled = true\nfilter = door\nmaxretry = 1\nbantime = 1h\nignoreself = false\n` +
        `logpath = ${home.file("door.log")}\naction = nftables-allports\n${more}`,
    );
  const attempt = (text: string): void =>
    appendFileSync(home.file("door.log"), `${new Date().toISOString()} ${text}\n`);

  it("uses a changed filter after a reload, and a broken folder changes nothing", async () => {
    const running = (daemon = await RunningDaemon.start(home, namespace, {
      args: ["--fail2ban", home.file("fail2ban")],
    }));
    const { imported, state } = running.status();
    expect(state).toBe("healthy");
    expect(imported?.folder).toBe(home.file("fail2ban"));
    const left = imported?.differences.find((sentence) => sentence.startsWith("door.ignorecommand: "));
    expect(left).toMatch(/fail2ban\/jail\.local:9\)$/);
    expect(running.log.split(left ?? "?")).toHaveLength(2);
    expect(running.command("status").output).toContain(`  ${left}\n`);
    attempt("no key for 203.0.113.1");
    await until("the first is banned", () => running.ruleset().includes("203.0.113.1"));

    // As when the package is upgraded.
    filter("^ key of <HOST> is bent$");
    expect(running.command("reload")).toMatchObject({ status: 0 });
    attempt("no key for 203.0.113.2");
    attempt("key of 203.0.113.3 is bent");
    await until("the third is banned", () => running.ruleset().includes("203.0.113.3"));
    expect(running.banned().toSorted()).toEqual(["203.0.113.1", "203.0.113.3"]);
    expect(running.log.split(left ?? "?")).toHaveLength(2);

    jails("[door]\n");
    const refused = running.command("reload");
    expect(refused.status).not.toBe(0);
    expect(refused.output + refused.error).toContain("duplicate section [door]");
    await until("it is in the log", () => running.log.includes("duplicate section [door]"));
    attempt("key of 203.0.113.4 is bent");
    await until("the fourth is banned", () => running.banned().includes("203.0.113.4"));
  });

  it("does not start with a folder without jails", async () => {
    jails("");
    writeFileSync(home.file("fail2ban/jail.local"), "[door]\nenabled = false\n");
    const { status, log } = await RunningDaemon.fail(home, namespace, {
      args: ["--fail2ban", home.file("fail2ban")],
    });
    expect(status).toBe(2);
    expect(log).toContain("no jail is enabled and can be converted");
  });
});
