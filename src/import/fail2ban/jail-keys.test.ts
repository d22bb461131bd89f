import { describe, expect, it } from "vitest";
import { imported, JAILS } from "./imported.test-support.ts";

describe("the keys of a jail of fail2ban", () => {
  it("converts growing bans, with the memory of fail2ban's database", () => {
    const files = {
      ...JAILS,
      "fail2ban.conf": "[Definition]\ndbpurgeage = 30d\n",
      "jail.local":
        "[door]\nenabled = true\nbantime.increment = true\nbantime.multipliers = 1 5 30\nbantime.maxtime = 5 weeks\nbantime.rndtime = 8m\nbantime.overalljails = yes\nbantime.factor = 2\n",
    };
    expect(imported(files).page.jails["door"]?.["increment"]).toEqual({
      factor: 2,
      multipliers: [1, 5, 30],
      maxtime: "5w",
      rndtime: "8m",
      memory: "4w2d",
      overalljails: true,
      sooner: true,
    });
  });

  it("keeps ignorecommand: as words, or as the shell's script with its tags as arguments", () => {
    const commandOf = (command: string, cache = ""): unknown =>
      imported({
        ...JAILS,
        "jail.local": `[door]\nenabled = true\nignorecommand = ${command}\nignorecache = ${cache}\n`,
      }).page.jails["door"];
    expect(
      commandOf("/etc/fail2ban/ignore/bot.py <ip>", 'key="<ip>", max-count=100, max-time=2h'),
    ).toMatchObject({
      ignorecommand: ["/etc/fail2ban/ignore/bot.py", "{address}"],
      ignorecache: "2h",
    });
    expect(commandOf("test -e /run/friends/<ip>")).toMatchObject({
      ignorecommand: ["test", "-e", "/run/friends/{address}"],
    });
    expect(commandOf("grep -qx <fid> /etc/friends || host <ip> | grep -q good")).toMatchObject({
      ignorecommand: [
        "/bin/sh",
        "-c",
        'grep -qx "$1" /etc/friends || host "$1" | grep -q good',
        "sh",
        "{address}",
      ],
    });
    for (const left of ["echo '<ip>' | friend", "friend <matches>", "friend <ip> | tee <F-USER>"])
      expect(commandOf(left)).not.toHaveProperty("ignorecommand");
  });

  it("keeps the encoding of logs", () => {
    const encodingOf = (codec: string): unknown =>
      imported({ ...JAILS, "jail.local": `[door]\nenabled = true\nlogencoding = ${codec}\n` }).page.sources;
    expect(encodingOf("ISO8859_15")).toMatchObject({ doors: { encoding: "iso-8859-15" } });
    expect(encodingOf("latin_1")).toMatchObject({ doors: { encoding: "latin-1" } });
    expect(encodingOf("auto")).toEqual({ doors: { type: "file", path: "/var/log/doors/*.log" } });
  });

  it("keeps the formula of growing bans, unless it is not arithmetic", () => {
    const withFormula = (formula: string) =>
      imported({
        ...JAILS,
        "jail.local": `[door]\nenabled = true\nbantime.increment = true\nbantime.factor = 2.0 / 2.885385\nbantime.formula = ${formula}\n`,
      });
    const kept = "ban.Time * math.exp(float(ban.Count+1)*banFactor)/math.exp(1*banFactor)";
    expect(withFormula(kept).page.jails["door"]?.["increment"]).toMatchObject({
      formula: kept,
      factor: 2 / 2.885385,
    });
    const { page, said } = withFormula("ban.Time * random.choice((1, 2))");
    expect(page.jails["door"]?.["increment"]).not.toHaveProperty("formula");
    expect(said.join()).toMatch(
      /door\.bantime\.formula: 'random.choice\(\)' is not known; .*: bans double each time \(\/f\/jail\.local:5\)/,
    );
  });
});
