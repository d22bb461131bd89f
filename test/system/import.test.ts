import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { importBanban } from "../../src/import/banban/import-banban.ts";
import { existingBans } from "../../src/import/swabber/existing-bans.ts";
import { readRecentRules, savedRules } from "../../src/import/banban/recent-rules.ts";
import { useNamespace } from "../support/hosts.ts";
import { hasProgram, namespaceFault, titled } from "../support/namespace.ts";
import { Home, RunningDaemon } from "../support/running-daemon.ts";
import { until } from "../support/waiting.ts";

const fault = namespaceFault() ?? (hasProgram("iptables-save") ? null : "needs the programs of iptables");

describe.skipIf(fault !== null)(titled("importing from the firewall", fault), () => {
  const namespace = useNamespace("import");

  it("finds how long the lists of xt_recent ban", async () => {
    const recent = (...rest: string[]) => ["-A", "FORWARD", "-m", "recent", "--name", ...rest, "-j", "DROP"];
    namespace.run("iptables", ...recent("SLOW", "--rcheck", "--hitcount", "1", "--seconds", "180"));
    namespace.run("ip6tables", ...recent("SLOW", "--update", "--seconds", "300"));
    namespace.run("iptables", ...recent("SHUT", "--rcheck"));
    namespace.run("iptables", "-A", "FORWARD", "-m", "recent", "--name", "SEEN", "--set");
    const rules = await namespace.inside(savedRules);
    expect(Object.fromEntries(readRecentRules(rules ?? ""))).toEqual({
      SLOW: { seconds: 300_000, hitcount: 1, updates: true },
      SHUT: { seconds: Infinity, hitcount: 0, updates: false },
    });
  });

  it.skipIf(!hasProgram("iptables-legacy"))("finds the rules of iptables-legacy too", async () => {
    const rule = [
      "-A",
      "INPUT",
      "-m",
      "recent",
      "--name",
      "OLD",
      "--rcheck",
      "--seconds",
      "60",
      "-j",
      "DROP",
    ];
    namespace.run("iptables-legacy", ...rule);
    onTestFinished(() => void namespace.run("iptables-legacy", "-F"));
    expect(namespace.run("iptables-save")).not.toContain("OLD");
    const rules = await namespace.inside(savedRules);
    expect(readRecentRules(rules ?? "").get("OLD")).toEqual({ seconds: 60_000, hitcount: 0, updates: false });
  });

  it("finds Swabber's bans, which the printed commands take over and remove", () => {
    const banned = ["192.0.2.1", "192.0.2.2"];
    for (const address of banned) {
      const comment = ["-m", "comment", "--comment", `swabber:${1_700_000_000}`];
      namespace.run("iptables", "-I", "INPUT", "-s", address, "-i", "eth+", ...comment, "-j", "DROP");
    }
    namespace.run("iptables", "-A", "INPUT", "-s", "192.0.2.3", "-j", "DROP");
    const [take = "", remove = ""] = existingBans("iptables", "5h").map((sentence) =>
      sentence.slice(sentence.indexOf("iptables -S")),
    );
    const stoplog = join(tmpdir(), `stoplog-import-${process.pid}`);
    writeFileSync(stoplog, '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
    onTestFinished(() => rmSync(stoplog));
    const asked = namespace.run("sh", "-c", take.replace("stoplog", stoplog));
    expect(asked).toBe("ban --target swabber --for 5h 192.0.2.2 192.0.2.1\n");
    namespace.run("sh", "-c", remove);
    expect(namespace.run("iptables", "-S", "INPUT")).toBe(
      "-P INPUT ACCEPT\n-A INPUT -s 192.0.2.3/32 -j DROP\n",
    );
  });

  it("gives a daemon that does what banban did", async () => {
    const home = new Home();
    onTestFinished(() => home.remove());
    const rules = await namespace.inside(savedRules);
    const { text } = importBanban(BANBAN.replaceAll("HOME", home.path), "banban.yml", rules);
    home.configure(`${text}state: false\n`);
    const daemon = await RunningDaemon.start(home, namespace);
    onTestFinished(() => daemon.end());
    const log = (message: string): string =>
      namespace.run("logger", "--socket", home.file("banban"), "--tag", "shop", "--id=12", message);
    const list = (name: string): string => namespace.run("cat", `/proc/net/xt_recent/${name}`);
    const listed = (name: string, address: string, times: number): Promise<void> =>
      until(
        `${name} holds ${address} ${times} times`,
        () => list(name).split(`src=${address} `).length === times + 1,
        () => daemon.log,
      );
    log("bad coupon from 203.0.113.7");
    await listed("SLOW", "203.0.113.7", 1);
    expect(list("SHUT")).toBe("");
    // Both blocktypes count each line: two lines count four.
    log("bad coupon from 203.0.113.7");
    await listed("SHUT", "203.0.113.7", 1);
    const bans = daemon.bans().toSorted((a, b) => a.target.localeCompare(b.target));
    expect(bans).toMatchObject([
      { address: "203.0.113.7", target: "SHUT", jail: "hard", until: null },
      { address: "203.0.113.7", target: "SLOW", jail: "mild" },
    ]);
    log("order of 203.0.113.7 paid");
    await listed("SHUT", "203.0.113.7", 0);
    await listed("SLOW", "203.0.113.7", 0);
    // Of another program, as banban does.
    namespace.run("sh", "-c", "echo +203.0.113.9 > /proc/net/xt_recent/SLOW");
    await listed("SLOW", "203.0.113.9", 1);
    log("order of 203.0.113.9 paid");
    await listed("SLOW", "203.0.113.9", 0);
    log("order of 203.0.113.7 paid; bad coupon from 203.0.113.7");
    await listed("SLOW", "203.0.113.7", 1);
    expect(list("SHUT")).toBe("");
  });
});

const BANBAN = String.raw`
socket: HOME/banban
goodpatterns:
  - '^shop\[\d+\]: order of (?<ip>[0-9a-f:.]+) paid'
blocktypes:
  mild:
    target: SLOW
    minocc: 1
    interval: 60
    patterns:
      - &coupon '^shop\[\d+\]: .*\bbad coupon from (?<ip>[[:xdigit:]:.]+)\z'
  hard:
    target: SHUT
    minocc: 4
    interval: 3600
    patterns:
      - *coupon
`;
