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
    const times = { findtime: "10m", bantime: "10m" };
    expect(page.defaults).toEqual({ maxretry: 5, ...times, counting: "scaled", ipv6_prefix: 128 });
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
          String.raw`^<DATE>?door (?:<DATE>\s*)?open (?:<DATE>\s*)?to <HOST>$`,
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

  it("matches lines of the journal without the space behind the date, and those of sshd's sessions", () => {
    const files = {
      ...JAILS,
      "jail.local":
        "[door]\nenabled = true\nbackend = systemd\njournalmatch = _SYSTEMD_UNIT=ssh.service + _COMM=sshd\n",
      "filter.d/door.conf": "[Definition]\nfailregex = ^\\S+ door: no key for <HOST>$\n",
    };
    const { page, said } = imported(files);
    expect(page.jails["door"]).toMatchObject({
      filter: { failregex: [String.raw`^(?:<DATE> )?\S+ door: no key for <HOST>$`] },
    });
    expect(page.sources).toMatchObject({
      ssh: { matches: ["_SYSTEMD_UNIT=ssh.service", "+", "_COMM=sshd", "+", "_COMM=sshd-session"] },
    });
    expect(said.join("\n")).toContain("_COMM=sshd-session was added");
  });

  it("writes one jail for several that are the same, and quotes what YAML 1.1 reads otherwise", () => {
    const jail = (name: string): string =>
      `[${name}]\nenabled = true\nfilter = door\nlogpath = /var/log/a.log\n`;
    const { page, text, said } = imported({
      ...JAILS,
      "jail.local": `[DEFAULT]\nignoreip = ::1 192.0.2.0/24\n${jail("yes")}${jail("door-2")}${jail("door-3")}maxretry = 9\n`,
    });
    expect(Object.keys(page.jails)).toEqual(["yes", "door-3"]);
    expect(said).toContain("jail yes: one for yes, door-2, which are the same here");
    expect(text).toContain('[ "::1", 192.0.2.0/24 ]');
    expect(text).toContain('"yes":');
  });

  describe("tries each jail on its own log", () => {
    const jail = "[door]\nenabled = true\nlogpath = /var/log/door.log\n";
    const trial = (
      filter: string,
      lines: readonly string[],
    ): { said: string; filter: Record<string, unknown> } => {
      const { page, said } = imported({
        ...JAILS,
        "jail.local": jail,
        "filter.d/door.conf": `[Definition]\n${filter}`,
        "/var/log/door.log": `${lines.join("\n")}\n`,
      });
      return {
        said: said.filter((sentence) => sentence.startsWith("door: ")).join("\n"),
        filter: page.jails["door"]?.["filter"] as Record<string, unknown>,
      };
    };

    it("and says what both filters match", () => {
      const { said } = trial("failregex = ^ no key for <HOST>$\n", [
        "Nov 20 14:44:48 no key for 192.0.2.1",
        "Nov 20 14:44:49 no key for 2001:DB8::1",
        "Nov 20 14:44:50 key for 192.0.2.1",
      ]);
      expect(said).toBe(
        "door: tried on /var/log/door.log: in 3 lines, fail2ban's filter matches 2 and Stoplog's 2",
      );
    });

    it("and shows a line that only one of them matches", () => {
      // fail2ban cuts a date out of any place.
      const { said } = trial("failregex = ^ no key:\\(user\\) for <HOST>$\n", [
        "Nov 20 14:44:48 no key:(user) for 192.0.2.1",
        " no key:2026-11-20 14:44:48(user) for 192.0.2.2",
        " no key:2026-11-20 14:44:49(user) for 192.0.2.3",
      ]);
      expect(said).toContain(
        "fail2ban's filter matches 3 and Stoplog's 1; 2 only fail2ban's, such as:  no key",
      );
    });

    it.each([
      ['^time="" level=error from=<HOST>$', 'time="2026-11-20T14:44:48Z" level=error from=192.0.2.1'],
      ["^time= from=<HOST>$", "time=2026-11-20T14:44:48Z from=192.0.2.1"],
      [String.raw`^\{"ts":"","ip":"<HOST>"\}$`, '{"ts":"2026-11-20 14:44:48","ip":"192.0.2.1"}'],
      [
        String.raw`^INFO\s+Login failed from <HOST>$`,
        "INFO  2026-11-20 14:44:48,123 Login failed from 192.0.2.1",
      ],
      [String.raw`^\[INFO\] \[\] failed <HOST>$`, "[INFO] [20/Nov/2026:14:44:48 +0100] failed 192.0.2.1"],
      ["failed from <HOST>", 'x at="Nov 20 14:44:48" failed from 192.0.2.1'],
    ])("and reads the date within the line for %s", (pattern, line) => {
      const { said, filter } = trial(`failregex = ${pattern}\n`, [line]);
      expect(said).toBe(
        "door: tried on /var/log/door.log: in 1 line, fail2ban's filter matches 1 and Stoplog's 1",
      );
      expect(filter["datepattern"]).toBe("{DATE}\n\\b{DATE}");
    });

    it.each([
      ["datepattern = ^time:{EPOCH}\nfailregex = ^ from <HOST>$\n", "time:1795185888 from 192.0.2.1"],
      [
        `datepattern = "ts":{LEPOCH}\nfailregex = ^\\{,"ip":"<HOST>"\\}$\n`,
        '{"ts":1795185888123,"ip":"192.0.2.1"}',
      ],
      ["datepattern = TAI64N\nfailregex = ^ from <HOST>$\n", "@400000006a1fa7da1dcd6500 from 192.0.2.1"],
      ["failregex = ^ from <HOST>$\n", "@400000006a1fa7da1dcd6500 from 192.0.2.1"],
      ["failregex = ^ user \\w+ from <HOST>$\n", "Nov 20 14:44:48 user m\u00fcller from 192.0.2.1"],
      ["failregex = ^ x <HOST>(?::\\d+)?$\n", "Nov 20 14:44:48 x 2001:db8::1:40000"],
      ["failregex = ^ x <HOST>(:\\d{1,5})?\\]$\n", "Nov 20 14:44:48 x [2001:db8::1]:40000]"],
      ["failregex = ^ x from <HOST>\\n$\n", "Nov 20 14:44:48 x from 192.0.2.1"],
      ["failregex = ^ x[^\\n\\[]* from <HOST>\\s*$\n", "Nov 20 14:44:48 x y from 192.0.2.1"],
      ["prefregex = ^ x\\b\nfailregex = from <HOST>$\n", "Nov 20 14:44:48 x y from 192.0.2.1"],
      ["failregex = ^ (?P<u>user )?x(?(u)y|z) <HOST>$\n", "Nov 20 14:44:48 user xy 192.0.2.1"],
    ])("and matches as fail2ban with %s", (filter, line) => {
      const { said } = trial(filter, [line]);
      expect(said).toBe(
        "door: tried on /var/log/door.log: in 1 line, fail2ban's filter matches 1 and Stoplog's 1",
      );
    });

    it("and takes the converted filter where Stoplog's own one matches nothing of it", () => {
      const stock = "[Definition]\nfailregex = ^ sshd says no to <HOST>$\n";
      const { page, said } = imported({
        ...JAILS,
        "jail.conf": `${JAILS["jail.conf"] ?? ""}[sshd]\nlogpath = /var/log/auth.log\n`,
        "jail.local": "[sshd]\nenabled = true\n",
        "filter.d/sshd.conf": stock,
        "/var/log/auth.log": "Nov 20 14:44:48 sshd says no to 192.0.2.1\n",
      });
      expect(page.jails["sshd"]).toMatchObject({
        filter: { failregex: ["^<DATE>? sshd says no to <HOST>$"] },
      });
      expect(said.join("\n")).toContain(
        "sshd: converted, because Stoplog's filter sshd matches none of the lines that fail2ban's does in this log",
      );
    });

    it("of the journal, too", () => {
      const entry =
        "__REALTIME_TIMESTAMP=1795185888000000\n_HOSTNAME=box\nSYSLOG_IDENTIFIER=door\nMESSAGE=no key for 192.0.2.1\n\n";
      const { said } = imported({
        ...JAILS,
        "jail.local": "[door]\nenabled = true\nbackend = systemd\njournalmatch = _COMM=door\n",
        "filter.d/door.conf": "[Definition]\nfailregex = ^\\S+ door: no key for <HOST>$\n",
        "/journalctl _COMM=door": entry,
      });
      expect(said.join("\n")).toContain(
        "door: tried on the journal _COMM=door: in 1 line, fail2ban's filter matches 1 and Stoplog's 1",
      );
    });
  });

  it("replaces a jail that reads fail2ban's own log, whatever its filter", () => {
    const { page } = imported({
      ...JAILS,
      "jail.local": "[again]\nenabled = true\nfilter = door\nlogpath = /var/log/fail2ban.log\n",
    });
    expect(page.jails).toMatchObject({ "recidive-again": { sources: ["own"], filter: "recidive" } });
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

  it("leaves out a jail without logs where skip_if_nologs says so, as fail2ban from 1.1.1 on", () => {
    const local = (more: string): Files => ({
      "jail.local": `[door]\nenabled = true\nlogpath = /var/log/door.log\n  /var/log/door/*.log\nskip_if_nologs = ${more}\n`,
    });
    const { page, said } = imported({ ...JAILS, ...local("true") });
    expect(page.jails).toEqual({});
    expect(said).toContain(
      "door.logpath: /var/log/door.log, /var/log/door/*.log are missing, and skip_if_nologs is set (/f/jail.local:3)",
    );
    expect(said.join("\n")).toContain("jail door: it has no log to read: left out (");
    const jails = (files: Files): unknown => Object.keys(imported({ ...JAILS, ...files }).page.jails);
    expect(jails(local("false"))).toEqual(["door"]);
    expect(jails({ ...local("true"), "/var/log/door/1.log": "" })).toEqual(["door"]);
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
ignorecommand = /bin/ask <F-USER>
ignoreip = 192.0.2.1 example.org file:/etc/friends friends file:friends
logencoding = utf-16
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
    expect(page.jails["door"]).toMatchObject({
      maxretry: 3,
      ignoreip: ["192.0.2.1", "example.org", "file:/etc/friends"],
    });
    const text = said.join("\n");
    for (const sentence of [
      "door.ignorecommand: it has tags other than <ip>, <fid>, <family> and <name>, or one in quotes: left out (/f/jail.local:3)",
      "door.ignoreip: 'friends': neither an address nor a host name with a dot: left out (/f/jail.local:4)",
      "door.ignoreip: 'file:friends': it is not an absolute path: left out (/f/jail.local:4)",
      "door.logencoding: 'utf-16': Stoplog splits lines at bytes and cannot read it (/f/jail.local:5)",
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
});
