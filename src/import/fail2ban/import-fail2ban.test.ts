import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ACTIONS, type Files, imported, JAILS } from "./imported.test-support.ts";

describe("importFail2ban()", () => {
  it("converts an enabled jail with its log, filter, ports and numbers", () => {
    const { page, text } = imported(JAILS);
    expect(page.sources).toEqual({ doors: { type: "file", path: "/var/log/doors/*.log" } });
    expect(page.targets).toEqual({
      "ssh-8080": { verdict: "reject", ports: ["ssh", 8080], protocols: ["tcp"] },
    });
    expect(page.defaults).toEqual({ maxretry: 5, findtime: "10m", bantime: "10m" });
    expect(page.jails).toMatchObject({
      door: {
        sources: ["doors"],
        maxretry: 3,
        target: "ssh-8080",
        filter: {
          failregex: [
            String.raw`^<DATE>?\s*\S+ door:\sno key for <HOST>$`,
            String.raw`^<DATE>?\s*\S+ door:\swrong key from <HOST>$`,
          ],
          ignoreregex: [String.raw`from 192\.0\.2\.9`],
        },
      },
    });
    expect(Object.keys(page.jails)).toEqual(["door"]);
    expect(text).toContain("# [door]");
  });

  it("reads later files over earlier ones: .conf, .d/*.conf, .local, .d/*.local", () => {
    const order = (files: Files): unknown =>
      imported({ ...JAILS, ...files }).page.jails["door"]?.["maxretry"];
    const own = (maxretry: number): string => `[door]\nenabled = true\nmaxretry = ${maxretry}\n`;
    expect(order({ "jail.d/a.conf": own(11) })).toBe(11);
    expect(order({ "jail.d/b.conf": own(12), "jail.d/a.conf": own(11) })).toBe(12);
    expect(order({ "jail.d/b.conf": own(12), "jail.local": own(13) })).toBe(13);
    expect(order({ "jail.local": own(13), "jail.d/a.local": own(14) })).toBe(14);
    expect(order({ "paths.local": "[door]\nmaxretry = 9\n" })).toBe(3);
  });

  it("expands %(known/x)s, arguments of filters and options that a jail overrides", () => {
    const files = {
      ...JAILS,
      "jail.local":
        "[DEFAULT]\nignoreip = 127.0.0.1/8 192.0.2.0/255.255.255.0\n[door]\nenabled = true\nmode = stern\nignoreip = %(default/ignoreip)s 2001:db8::/32\nfailregex = %(known/failregex)s\n  ^door open to <HOST>$\n",
    };
    const { page } = imported(files);
    expect(page.defaults["ignoreip"]).toEqual(["127.0.0.0/8", "192.0.2.0/24"]);
    expect(page.jails["door"]).toMatchObject({
      ignoreip: ["127.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"],
      filter: {
        failregex: [
          String.raw`^<DATE>?\s*\S+ door:\sno key for <HOST>!$`,
          String.raw`^<DATE>?\s*\S+ door:\swrong key from <HOST>$`,
          "^<DATE>?door open to <HOST>$",
        ],
      },
    });
  });

  it("resets defaults in a jail that does not have them", () => {
    const files = {
      ...JAILS,
      "jail.local":
        "[DEFAULT]\nignoreip = 192.0.2.1\nignoreself = false\nusedns = warn\nbantime = -1\nbantime.increment = true\n[door]\nenabled = true\nignoreip =\nignoreself = true\nusedns = no\nbantime = 1h30\nbantime.increment = false\n",
    };
    const { page } = imported(files);
    expect(page.defaults).toMatchObject({
      ignoreip: ["192.0.2.1"],
      ignoreself: false,
      usedns: true,
      bantime: -1,
    });
    expect(page.jails["door"]).toMatchObject({
      ignoreip: [],
      ignoreself: true,
      usedns: false,
      bantime: "1h30s",
      increment: false,
    });
  });

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
    });
    const formula = `${files["jail.local"].replace(/bantime.mult.*\n/, "")}bantime.formula = ban.Time * math.exp(float(ban.Count+1))\n`;
    expect(imported({ ...files, "jail.local": formula }).said.join()).toMatch(
      /door\.bantime\.formula: formulas are not supported[^,]* \(\/f\/jail\.local:8\)/,
    );
  });

  it("reads the journal with its matches, alternatives included", () => {
    const files = {
      ...JAILS,
      "jail.local": "[door]\nenabled = true\nbackend = systemd[journalflags=1]\n",
      "filter.d/door.local":
        "[Init]\njournalmatch = _SYSTEMD_UNIT=door.service + _COMM=door\n  _TRANSPORT=kernel\n",
    };
    const { page } = imported(files);
    const matches = ["_SYSTEMD_UNIT=door.service", "+", "_COMM=door", "+", "_TRANSPORT=kernel"];
    expect(page.sources).toEqual({ door: { type: "journal", matches } });
    expect(page.jails["door"]?.["sources"]).toEqual(["door"]);
  });

  it("reads the journal when the log is missing, as fail2ban from 1.1.1 on", () => {
    const filter = { "filter.d/door.local": "[Init]\njournalmatch = _COMM=door\n" };
    const local = "[door]\nenabled = true\nlogpath = /var/log/door.log\n";
    const sources = (files: Files): unknown =>
      imported({ ...JAILS, ...filter, "jail.local": local, ...files }).page.sources;
    const file = { door: { type: "file", path: "/var/log/door.log" } };
    const said = imported({ ...JAILS, ...filter, "jail.local": `${local}backend = auto\n` }).said.join("\n");
    expect(said).toContain(
      "door.logpath: /var/log/door.log is missing: reading the journal instead (/f/jail.local:3)",
    );
    expect(sources({})).toEqual({ door: { type: "journal", matches: ["_COMM=door"] } });
    expect(sources({ "/var/log/door.log": "" })).toEqual(file);
    expect(sources({ "jail.local": `${local}backend = polling\n` })).toEqual(file);
    expect(sources({ "jail.local": `${local}systemd_if_nologs = false\n` })).toEqual(file);
  });

  it("reads a file of several jails once, and each file once where globs overlap", () => {
    const jail = (name: string, log: string): string =>
      `[${name}]\nenabled = true\nfilter = door\nlogpath = ${log}\n`;
    const local = [
      jail("one", "/var/log/a.log\n  /var/log/b.log tail"),
      jail("two", "/var/log/b.log\n /var/log/b*.log"),
      jail("three", "/srv/{x}/**.log"),
      jail("four", "relative.log"),
      `${jail("five", "/var/log/b.log")}logtimezone = UTC+0200\n`,
    ];
    const { page, said } = imported({ ...JAILS, "jail.local": local.join("") });
    expect(page.sources).toEqual({
      a: { type: "file", path: "/var/log/a.log" },
      b: { type: "file", path: "/var/log/b.log" },
      "b-2": { type: "file", path: ["/var/log/b.log", "/var/log/b*.log"] },
      "x-": { type: "file", path: String.raw`/srv/\{x\}/*.log` },
      "b-3": { type: "file", path: "/var/log/b.log", timezone: "+02:00" },
    });
    expect(Object.keys(page.jails)).toEqual(["one", "two", "three", "five"]);
    expect(said.join("\n")).toContain("jail four: it has no log to read: left out (/f/jail.local:");
  });

  describe("replaces the package's filters by those of the library", () => {
    const stock = "[Definition]\nfailregex = ^stock <HOST>$\n";
    const sum = createHash("md5").update(stock).digest("hex");
    const files: Files = {
      ...ACTIONS,
      "/var/lib/dpkg/status": `Package: x\n\nPackage: fail2ban\nConffiles:\n /etc/fail2ban/filter.d/sshd.conf ${sum}\n\nPackage: y\n`,
      "jail.conf": `${JAILS["jail.conf"] ?? ""}[sshd]\nlogpath = /var/log/auth.log\nport = ssh\n`,
      "paths.conf": JAILS["paths.conf"] ?? "",
      "jail.local": "[sshd]\nenabled = true\n",
      "filter.d/sshd.conf": stock,
    };
    const filter = (changed: Files): unknown =>
      imported({ ...files, ...changed }).page.jails["sshd"]?.["filter"];

    it("when they are unchanged", () => {
      expect(filter({})).toBe("sshd");
      expect(filter({ "jail.local": "[sshd]\nenabled = true\nmode = aggressive\n" })).toBe("sshd-aggressive");
      expect(imported(files).said.join("\n")).toContain(
        "Stoplog's own filters replace those of fail2ban's package: sshd;",
      );
    });

    it.each<[string, Files]>([
      ["its file is another", { "filter.d/sshd.conf": `${stock} ^more <HOST>$\n` }],
      ["a .local changes it", { "filter.d/sshd.local": "[Definition]\nfailregex = ^own <HOST>$\n" }],
      ["the jail has its own", { "jail.local": "[sshd]\nenabled = true\nfailregex = ^own <HOST>$\n" }],
      ["it is called with more", { "jail.local": "[sshd]\nenabled = true\nfilter = sshd[_daemon=other]\n" }],
    ])("but not when %s", (_, changed) => {
      expect(filter(changed)).toMatchObject({ failregex: expect.any(Array) as unknown });
      expect(imported({ ...files, ...changed }).said.join("\n")).toContain("converted, because");
    });

    it("and appends the user's own patterns when some were left out", () => {
      const changed = {
        "filter.d/sshd.local":
          "[Definition]\nprefregex = ^\\S+ <F-CONTENT>.+</F-CONTENT>$\nfailregex = ^own <HOST>$\n ^(a)?(?(1)b) <HOST>\n",
      };
      const { failregex, prefregex } = filter({ ...changed }) as { failregex: string[]; prefregex?: string };
      expect(prefregex).toBeUndefined();
      expect(failregex.length).toBeGreaterThan(5);
      expect(failregex.at(-1)).toBe(String.raw`^<DATE>?\S+ (?:own <HOST>$)`);
    });

    it("and lets recidive read Stoplog's own log", () => {
      const { page } = imported({
        ...files,
        "filter.d/recidive.conf": stock,
        "/var/lib/dpkg/status": "",
        "jail.local":
          "[again]\nenabled = true\nfilter = recidive\nlogpath = /var/log/fail2ban.log\nbantime = 1w\n",
      });
      expect(page.sources).toEqual({ own: { type: "journal", units: "stoplog.service" } });
      expect(page.jails).toMatchObject({
        "recidive-again": { sources: ["own"], filter: "recidive", bantime: "1w" },
      });
    });
  });

  it("reports everything else that is not converted, with the reason and the place", () => {
    const local = `[door]
enabled = true
ignorecommand = /bin/ask <ip>
ignoreip = example.org 192.0.2.1 file:/etc/friends
logencoding = latin-1
maxretry = many
findtime = soon
banaction = nowhere
[gone]
enabled = true
filter = gone
logpath = /var/log/x.log
[broken]
enabled = true
filter = door
logpath = %(undefined)s
`;
    const { page, said } = imported({ ...JAILS, "jail.local": local });
    expect(page.jails["door"]).toMatchObject({ maxretry: 3, ignoreip: ["192.0.2.1"] });
    const text = said.join("\n");
    for (const sentence of [
      "door.ignorecommand: ignore commands are not supported: left out (/f/jail.local:3)",
      "door.ignoreip: 'example.org': names are not resolved: add its address to ignoreip (/f/jail.local:4)",
      "door.ignoreip: 'file:/etc/friends': files are not read: add its addresses to ignoreip (/f/jail.local:4)",
      "door.logencoding: logs are read as bytes: left out (/f/jail.local:5)",
      "door.maxretry: 'many' is not a number from 1 to 65535: using 3 (/f/jail.local:6)",
      "door.findtime: 'soon' is not a valid time: using 10m (/f/jail.local:7)",
      "nowhere: action not found: left out",
      "gone.filter: filter 'gone' not found (/f/jail.local:11)",
      "jail gone: its filter cannot be converted: left out (/f/jail.local:10)",
      "broken.logpath: %(undefined)s is not defined: left out (/f/jail.local:16)",
      "jail broken: it has no log to read: left out (/f/jail.local:14)",
    ])
      expect(text).toContain(sentence);
  });

  it("reports patterns that need several lines", () => {
    const filter =
      "[Definition]\nfailregex = ^one <HOST>$\n ^<F-NOFAIL>two</F-NOFAIL> <HOST>$\n ^three<SKIPLINES>four <HOST>$\n ^none$\nmaxlines = 5\n";
    const { page, said } = imported({ ...JAILS, "filter.d/door.conf": filter });
    expect(page.jails["door"]).toMatchObject({ filter: { failregex: ["^<DATE>?one <HOST>$"] } });
    const text = said.join("\n");
    expect(text).toContain(
      "door: filter door: maxlines is 5, but Stoplog matches one line at a time (/f/filter.d/door.conf:6)",
    );
    expect(text).toContain("failregex 3: spans several lines: left out");
    expect(text).toContain("<F-NOFAIL> needs to remember several lines, which is not supported: left out");
    expect(text).toContain("has no <HOST>: it does not say which address to ban: left out");
  });
});
