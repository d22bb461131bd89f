import { describe, expect, it } from "vitest";
import { LIMITS } from "../core/limits.ts";
import { formatPrefix } from "../core/prefix.ts";
import { DAY, FOREVER, HOUR, MINUTE } from "../core/time.ts";
import { AUTH, good, jail } from "../../test/support/read-config-text.ts";

describe("readConfig()", () => {
  it("fills in missing keys", () => {
    const config = good(jail());
    expect(config).toEqual({
      path: "stoplog.yaml",
      sources: new Map([
        [
          "auth",
          {
            type: "file",
            path: "/var/log/auth.log",
            start: "end",
            maxBehind: LIMITS.behind.value,
            maxLine: LIMITS.lineBytes.value,
            timezone: "local",
          },
        ],
      ]),
      targets: [
        {
          name: "default",
          bantime: null,
          resetConnections: false,
          enforcers: [
            { name: "default", enforcer: "nftables", verdict: { kind: "drop" }, ports: [], protocols: [] },
          ],
        },
      ],
      jails: [
        {
          name: "sshd",
          sources: ["auth"],
          filter: {
            name: "sshd",
            failregex: ["^Failed for <HOST>$"],
            ignoreregex: [],
            goodregex: ["^Accepted for <HOST>$"],
          },
          maxretry: 5,
          findtime: 10 * MINUTE,
          steps: [{ maxretry: 5, times: 1, target: "default", bantime: HOUR }],
          growth: null,
          memory: 30 * DAY,
          ignoreip: [],
          ignoreSelf: true,
          ipv4Prefix: 32,
          ipv6Prefix: 64,
          usedns: false,
          onGood: "unban",
          trustFor: 0,
          countWith: null,
          addresses: LIMITS.addresses.value,
        },
      ],
      lists: [],
      api: null,
      fail2banSocket: null,
      metrics: null,
      notify: [],
      publishers: [],
      origins: [],
      ignoreip: [],
      ignoreSelf: true,
      spareSessions: true,
      limits: { bans: LIMITS.bans.value, packetBans: LIMITS.packetBans.value },
      stateDirectory: "/var/lib/stoplog",
      log: { level: "info", format: "text" },
      notes: [],
    });
  });

  it("reads every key of a jail", () => {
    const text = jail(
      "filter: nginx",
      "maxretry: 3",
      "findtime: 90",
      "bantime: -1",
      "target: slow",
      "ignoreip: [192.0.2.7/24, '2001:db8::1', self]",
      "ignoreself: false",
      "ipv4_prefix: 24",
      "ipv6_prefix: 56",
      "usedns: yes",
      "on_good: forget",
      "trust_for: 1d",
      "count_with: all",
      "addresses: 1000",
    );
    const [read] = good(`${text}targets: { slow: { verdict: reject } }\n`).jails;
    expect({ ...read, ignoreip: read!.ignoreip.map(formatPrefix) }).toMatchObject({
      filter: { name: "nginx", failregex: ["^<HOST> 401$"] },
      maxretry: 3,
      findtime: 90_000,
      steps: [{ maxretry: 3, times: 1, target: "slow", bantime: FOREVER }],
      ignoreip: ["192.0.2.0/24", "2001:db8::1"],
      ignoreSelf: true,
      ipv4Prefix: 24,
      ipv6Prefix: 56,
      usedns: true,
      onGood: "forget",
      trustFor: DAY,
      countWith: "all",
      addresses: 1000,
    });
  });

  it("takes a jail's missing keys from `defaults`", () => {
    const text = `${AUTH}defaults: { sources: auth, maxretry: 2, bantime: 1d, ignoreself: false }\njails: { sshd: { bantime: 2d }, nginx: { ignoreself: true } }\n`;
    const { jails, ignoreSelf } = good(text);
    expect(
      jails.map(({ name, sources, maxretry, steps, ignoreSelf }) => ({
        name,
        sources,
        maxretry,
        bantime: steps[0]?.bantime,
        ignoreSelf,
      })),
    ).toEqual([
      { name: "sshd", sources: ["auth"], maxretry: 2, bantime: 2 * DAY, ignoreSelf: false },
      { name: "nginx", sources: ["auth"], maxretry: 2, bantime: DAY, ignoreSelf: true },
    ]);
    expect(ignoreSelf).toBe(true);
  });

  it("bans this machine's own addresses only without `self` and `ignoreself`", () => {
    const base = jail("ignoreself: false");
    expect(good(`${base}defaults: { ignoreself: false }\n`)).toMatchObject({
      ignoreSelf: false,
      jails: [{ ignoreSelf: false }],
    });
    expect(good(`${base}ignoreip: [self, 127.0.0.0/8]\n`)).toMatchObject({
      ignoreSelf: true,
      jails: [{ ignoreSelf: true }],
    });
  });

  it("leaves out disabled jails, and counts their sources as used", () => {
    const config = good(jail("enabled: false"));
    expect(config.jails).toEqual([]);
    expect(config.notes).toEqual(["no jail is enabled: only bans by hand"]);
  });

  it("reads every kind of source", () => {
    const { sources } = good(`
sources:
  a: { type: file, path: [/var/log/a.log, "/srv/*/b.log"], start: beginning, max_behind: 1048576, max_line: 256, timezone: "+02:00" }
  b: { type: syslog, listen: "unix:/run/x.sock", mode: 0660, owner: root, group: adm }
  c: { type: journal, units: ssh.service, identifiers: [sshd], matches: ["_UID=0"], directory: /j }
  d: { type: command, command: [cat, /dev/null] }
  e: { type: stdin, timezone: Europe/Berlin }
`);
    const lines = { maxLine: LIMITS.lineBytes.value, timezone: "local" };
    expect([...sources.values()]).toEqual([
      {
        type: "file",
        path: ["/var/log/a.log", "/srv/*/b.log"],
        start: "beginning",
        maxBehind: 1_048_576,
        maxLine: 256,
        timezone: "+02:00",
      },
      { type: "syslog", listen: "unix:/run/x.sock", mode: 0o660, owner: "root", group: "adm", ...lines },
      {
        type: "journal",
        units: ["ssh.service"],
        identifiers: ["sshd"],
        matches: ["_UID=0"],
        directory: "/j",
        ...lines,
      },
      { type: "command", command: ["cat", "/dev/null"], ...lines },
      { type: "stdin", ...lines, timezone: "Europe/Berlin" },
    ]);
  });

  it.each(["0660", '"0660"', "660", '"660"', "0o660", "'0o660'"])(
    "reads %s as permissions in octal",
    (mode) => {
      const { sources } = good(`sources: { s: { type: syslog, listen: "unix:/x", mode: ${mode} } }`);
      expect(sources.get("s")).toMatchObject({ mode: 0o660 });
    },
  );

  it("reads targets, with ports by number, range and name", () => {
    const { targets } = good(`
targets:
  slow: { verdict: throttle, rate: 10/minute, ports: [22, "80-90", https], protocols: tcp }
  dry: { enforcer: dry-run, verdict: throttle, rate: 3 / second, burst: 7 }
`);
    expect(targets.slice(1).flatMap(({ enforcers }) => enforcers)).toEqual([
      {
        name: "slow",
        enforcer: "nftables",
        verdict: { kind: "throttle", packets: 10, per: MINUTE, burst: 5 },
        ports: [
          { first: 22, last: 22 },
          { first: 80, last: 90 },
          { first: 443, last: 443 },
        ],
        protocols: ["tcp"],
      },
      {
        name: "dry",
        enforcer: "dry-run",
        verdict: { kind: "throttle", packets: 3, per: 1000, burst: 7 },
        ports: [],
        protocols: [],
      },
    ]);
  });

  it("reads what each enforcer takes, and several at once", () => {
    const { targets } = good(`
targets:
  theirs: { sets: [inet filter blocked4, ip6 t b6], bantime: 10m, reset_connections: true }
  many:
    - { enforcer: ipset, ports: 22, chain: DOCKER-USER, rule: false }
    - { enforcer: iptables, interface: eth+, verdict: reject }
    - { enforcer: hosts.deny, services: "sshd, vsftpd" }
    - { enforcer: recent, list: BLOCKER, bantime: -1 }
    - { enforcer: route }
    - { enforcer: command, ban: [block, "{address}"], unban: [unblock, "{address}"], batch: true }
`);
    expect(targets.slice(1)).toMatchObject([
      { name: "theirs", bantime: 10 * MINUTE, resetConnections: true },
      { name: "many", bantime: FOREVER, resetConnections: false },
    ]);
    expect(targets.slice(1).flatMap(({ enforcers }) => enforcers)).toMatchObject([
      {
        enforcer: "nft-set",
        sets: [
          { family: "inet", table: "filter", set: "blocked4" },
          { family: "ip6", table: "t", set: "b6" },
        ],
      },
      {
        name: "many",
        enforcer: "ipset",
        sets: [],
        chain: "DOCKER-USER",
        rule: false,
        verdict: { kind: "drop" },
      },
      { enforcer: "iptables", chain: "INPUT", interface: "eth+", verdict: { kind: "reject" } },
      { enforcer: "hosts.deny", path: "/etc/hosts.deny", services: "sshd, vsftpd" },
      { enforcer: "recent", list: "BLOCKER" },
      { enforcer: "route", type: "blackhole" },
      { enforcer: "command", ban: ["block", "{address}"], batch: true, timeout: 10_000, parallel: 4 },
    ]);
  });

  it("reads steps, with missing keys from the jail, or else the target", () => {
    const steps = "steps: [{ times: 3, bantime: 1w }, {}, { maxretry: 1, target: slow }]";
    const text = jail("maxretry: 4", steps);
    const [read] = good(`${text}targets: { slow: { verdict: reject, bantime: 3m } }\n`).jails;
    expect(read).toMatchObject({
      maxretry: 4,
      steps: [
        { maxretry: 1, times: 1, target: "slow", bantime: 3 * MINUTE },
        { maxretry: 4, times: 1, target: "default", bantime: HOUR },
        { maxretry: 4, times: 3, target: "default", bantime: 7 * DAY },
      ],
    });
  });

  it("reads how bans grow", () => {
    expect(good(jail("increment: true")).jails[0]).toMatchObject({
      growth: { factor: 1, multipliers: null, maxtime: null, rndtime: 0, overalljails: false },
      memory: 30 * DAY,
    });
    const written =
      "increment: { factor: 2, multipliers: [1, 5], maxtime: 1w, rndtime: 8m, memory: 1d, overalljails: true }";
    expect(good(jail(written)).jails[0]).toMatchObject({
      growth: { factor: 2, multipliers: [1, 5], maxtime: 7 * DAY, rndtime: 8 * MINUTE, overalljails: true },
      memory: DAY,
    });
  });

  it("reads a formula", () => {
    const written = (formula: string): string => jail(`increment: { formula: "${formula}" }`);
    expect(good(written("ban.Time * (1 << ban.Count)")).jails[0]).toMatchObject({
      growth: { formula: { op: "*" } },
    });
  });

  it("lets a target named default replace the built-in one", () => {
    const { targets } = good("targets: { default: { enforcer: nft } }\n");
    expect(targets.flatMap(({ enforcers }) => enforcers)).toEqual([
      { name: "default", enforcer: "nft", verdict: { kind: "drop" }, ports: [], protocols: [] },
    ]);
  });

  it("reads ignoreip, limits, state and log", () => {
    const config = good(
      "ignoreip: ['::1', 10.0.0.0/8]\nlimits: { bans: 5 }\nstate: false\nlog: { level: warn, format: json }\n",
    );
    expect({ ...config, ignoreip: config.ignoreip.map(formatPrefix) }).toMatchObject({
      ignoreip: ["::1", "10.0.0.0/8"],
      limits: { bans: 5, packetBans: LIMITS.packetBans.value },
      stateDirectory: null,
      log: { level: "warn", format: "json" },
    });
    expect(good("state: /srv/stoplog\n").stateDirectory).toBe("/srv/stoplog");
  });

  it("reads host names and files in ignoreip", () => {
    const entries = "[self, 192.0.2.1, host.example.org, 'file:/etc/allowed', 'file:///etc/more']";
    const ignoreFrom = [
      { kind: "name", name: "host.example.org" },
      { kind: "file", path: "/etc/allowed" },
      { kind: "file", path: "/etc/more" },
    ];
    const config = good(`${jail(`ignoreip: ${entries}`)}ignoreip: ${entries}\n`);
    expect(config).toMatchObject({ ignoreFrom, jails: [{ ignoreFrom }] });
    expect(config.ignoreip.map(formatPrefix)).toEqual(["192.0.2.1"]);
    expect(good("ignoreip: 192.0.2.1\n")).not.toHaveProperty("ignoreFrom");
  });

  it("reads an empty file, and empty sections, as a configuration without jails", () => {
    for (const text of ["", "# nothing\n", "sources:\ntargets:\njails:\ndefaults:\nlimits:\nlog:\n"]) {
      expect(good(text).notes).toEqual(["no jail is enabled: only bans by hand"]);
    }
  });

  it("replaces a filter's patterns by the jail's, as fail2ban does", () => {
    const [first] = good(
      jail("filter: sshd", "failregex: ['^mine <HOST>$']", "ignoreregex: 'not this'"),
    ).jails;
    expect(first!.filter).toEqual({
      name: "sshd",
      failregex: ["^mine <HOST>$"],
      ignoreregex: ["not this"],
      goodregex: ["^Accepted for <HOST>$"],
    });
  });

  it("takes patterns without a filter when no filter has the jail's name", () => {
    const { jails } = good(`${AUTH}jails: { own: { sources: auth, failregex: '^x <HOST>$' } }`);
    expect(jails[0]!.filter).toEqual({
      name: "own",
      failregex: ["^x <HOST>$"],
      ignoreregex: [],
      goodregex: [],
    });
  });

  it("reads a filter written in place, and a block of text with a pattern on each line", () => {
    const [first] = good(
      jail("filter:", "  failregex: |", "    ^a <HOST>$", "", "    ^b <HOST>$", "  daemon: x"),
    ).jails;
    expect(first!.filter).toMatchObject({ failregex: ["^a <HOST>$", "^b <HOST>$"], daemon: "x" });
  });

  it("notes sources and targets that no jail uses", () => {
    const text = `${jail()}targets: { slow: { verdict: reject }, default: {} }\n`.replace(
      "sources: {",
      "sources: { more: { type: stdin },",
    );
    expect(good(text).notes).toEqual([
      "source more is not used by any jail",
      "target slow is not used by any jail",
    ]);
  });

  it("notes that usedns: warn is yes, and reads raw as no", () => {
    const warned = good(jail("usedns: warn"));
    expect(warned.jails[0]!.usedns).toBe(true);
    expect(warned.notes).toEqual(["jail sshd: usedns: warn looks up names, as yes does"]);
    expect(good(jail("usedns: raw")).jails[0]!.usedns).toBe(false);
    expect(good(jail("usedns: no")).jails[0]!.usedns).toBe(false);
  });

  it("notes warnings about a filter's patterns", () => {
    const [note] = good(jail("filter: { failregex: ['^<SYSLOG>x <HOST>$'] }")).notes;
    expect(note).toMatch(/^jail sshd: failregex 1: <SYSLOG> without 'daemon' .* \(stoplog\.yaml:5:27\)$/);
  });
});
