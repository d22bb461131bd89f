import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type ConfigReading, readConfig } from "../../config/read-config.ts";
import { DAY, FOREVER, HOUR } from "../../core/time.ts";
import { formatPrefix } from "../../core/prefix.ts";
import { StoplogError } from "../../core/errors.ts";
import { existingBans } from "./existing-bans.ts";
import { importSwabber } from "./import-swabber.ts";

const GOOD = `
bantime: 18000
bindstrings: ["tcp://127.0.0.1:22620", "tcp://[::1]:22621"]
interface: eth+
backend: iptables_cmd
whitelist: [192.0.2.0/24, 198.51.100.7]
`;

function check(text: string): ConfigReading {
  return readConfig(text, "stoplog.yaml", {
    readFilter: () => ({ kind: "missing", known: [] }),
    stateDirectory: null,
  });
}

function source(text: string): unknown {
  return (parse(importSwabber(text, "swabber.yaml").text) as { sources: { swabber: unknown } }).sources
    .swabber;
}

/** The differences other than the usual ones, without places. */
function differences(text: string): readonly string[] {
  const usual = new Set(importSwabber(GOOD, "swabber.yaml").differences);
  const imported = importSwabber(text, "swabber.yaml");
  expect(check(imported.text).errors).toEqual([]);
  return imported.differences
    .filter((sentence) => !usual.has(sentence) && !sentence.startsWith("Bans made by Swabber"))
    .map((sentence) => sentence.replace(/ \(swabber\.yaml:\d+:\d+\)$/, ""));
}

describe("importSwabber()", () => {
  it("makes a feed, a target of iptables and an ignoreip", () => {
    const { text } = importSwabber(GOOD, "/etc/swabber.yaml");
    expect(source(GOOD)).toEqual({
      type: "zmq",
      connect: ["tcp://127.0.0.1:22620", "tcp://[::1]:22621"],
      topic: "swabber_bans",
      bantime: "5h",
      target: "swabber",
    });
    const { config, errors } = check(text);
    expect(errors).toEqual([]);
    expect(config?.targets.find(({ name }) => name === "swabber")?.enforcers).toMatchObject([
      { enforcer: "iptables", verdict: { kind: "drop" }, chain: "INPUT", interface: "eth+" },
    ]);
    expect(config?.ignoreip.map(formatPrefix)).toEqual(["192.0.2.0/24", "198.51.100.7"]);
    for (const part of ["# bindstrings", "# backend and interface", "# whitelist"])
      expect(text).toContain(part);
  });

  it("uses Swabber's defaults", () => {
    expect(source("polltime: 60\n")).toMatchObject({ connect: "tcp://127.0.0.1:22620", bantime: "2m" });
    const { config } = check(importSwabber("polltime: 60\n", "swabber.yaml").text);
    expect(config?.targets.find(({ name }) => name === "swabber")?.enforcers).toMatchObject([
      { interface: "eth+" },
    ]);
  });

  it("trusts the feed as Swabber did, for bans of any length", () => {
    for (const [written, longest] of [
      ["18000", 5 * HOUR],
      ["8640000", 100 * DAY],
      ["0", FOREVER],
    ] as const) {
      const { config } = check(importSwabber(GOOD.replace("18000", written), "swabber.yaml").text);
      expect(config?.origins.find(({ name }) => name === "swabber")).toMatchObject({
        may: ["ban"],
        longest,
        widest: { v4: 32, v6: 128 },
      });
    }
  });

  it("connects to local sockets too", () => {
    expect(source("bindstrings: ['ipc:///run/swabber.sock']\n")).toMatchObject({
      connect: "ipc:///run/swabber.sock",
    });
  });

  it("bans permanently with bantime 0, and on all interfaces with +", () => {
    const text = GOOD.replace("18000", "0").replace("eth+", "'+'");
    expect(source(text)).toMatchObject({ bantime: -1 });
    const { config } = check(importSwabber(text, "swabber.yaml").text);
    expect(config?.targets.find(({ name }) => name === "swabber")?.enforcers).toMatchObject([
      { interface: null },
    ]);
  });

  it("writes to hosts.deny where Swabber did", () => {
    const { text, differences: said } = importSwabber(
      GOOD.replace("iptables_cmd", "hostsfile"),
      "swabber.yaml",
    );
    const { config } = check(text);
    expect(config?.targets.find(({ name }) => name === "swabber")?.enforcers).toMatchObject([
      { enforcer: "hosts.deny", path: "/etc/hosts.deny", services: "ALL" },
    ]);
    expect(said.join("\n")).toContain("sed -i -E '/^ALL: [0-9.]+ #swabber:[0-9]+$/d' /etc/hosts.deny");
  });

  it.each([
    ["polltime: 60", ["polltime: bans expire without polling: left out"]],
    ["logpath: /x", ["logpath: Stoplog logs to standard error, which goes to the journal: left out"]],
    ["color: red", ["color: not a key of Swabber: left out"]],
    ["bindstring: tcp://127.0.0.1:1", ["bindstring: ignored: bindstrings is also set"]],
  ])("reports what becomes of %s", (line, said) => {
    expect(differences(`${GOOD}${line}\n`)).toEqual(said);
  });

  it.each([
    [
      "bantime: 18000",
      "bantime: soon",
      ['bantime: "soon" is not a number of seconds up to 100 years: using the default, 120'],
    ],
    [
      "bantime: 18000",
      "bantime: -5",
      ['bantime: "-5" is not a number of seconds up to 100 years: using the default, 120'],
    ],
    [
      "bantime: 18000",
      "bantime: [1]",
      ["bantime: a list is not a number of seconds up to 100 years: using the default, 120"],
    ],
    [
      "interface: eth+",
      "interface: 'a b; c'",
      ['interface: "a b; c" is not an interface name: bans apply to all interfaces'],
    ],
    ["backend: iptables_cmd", "backend: nft", ['backend: "nft" is not a backend of Swabber: using iptables']],
    [
      "backend: iptables_cmd",
      "backend: iptables",
      ["backend: Swabber's default backend, iptables, did not ban anything (iptables_cmd did): Stoplog bans"],
    ],
    [
      "whitelist: [192.0.2.0/24",
      "whitelist: [192.0.2.0/99",
      ['whitelist: "192.0.2.0/99" is not an address or network: left out'],
    ],
    ["whitelist: [192.0.2.0/24, 198.51.100.7]", "whitelist: 192.0.2.1", ["whitelist: not a list: left out"]],
    [
      "tcp://[::1]:22621",
      "inproc://x",
      ['bindstrings: "inproc://x" is not tcp://HOST:PORT or ipc:///PATH: left out'],
    ],
    [
      "tcp://[::1]:22621",
      "tcp://*:22621",
      ['bindstrings: "tcp://*:22621" is not tcp://HOST:PORT or ipc:///PATH: left out'],
    ],
    [
      "tcp://[::1]:22621",
      "tcp://203.0.113.9:22621",
      [
        "bindstrings: the server at tcp://203.0.113.9:22621 can order any ban: Swabber's messages are not authenticated",
      ],
    ],
    [
      '["tcp://127.0.0.1:22620", "tcp://[::1]:22621"]',
      "{}",
      [
        "bindstrings: a map is not tcp://HOST:PORT or ipc:///PATH: left out",
        "bindstrings: no usable endpoint: no ban orders will arrive",
      ],
    ],
  ])("%s -> %s", (from, to, said) => {
    expect(GOOD.split(from)).toHaveLength(2);
    const found = differences(GOOD.replace(from, () => to));
    expect(found.toSorted()).toEqual(said.toSorted());
  });

  it("knows the key of old versions of Swabber, whose bantime was in minutes", () => {
    const old = "bindstring: tcp://127.0.0.1:9\nbantime: 3\n";
    expect(source(old)).toMatchObject({ connect: "tcp://127.0.0.1:9", bantime: "3s" });
    expect(importSwabber(old, "x").differences.join()).toContain("bantime is in minutes");
  });

  it("makes a valid configuration of any values, or refuses them", () => {
    const value = fc.oneof(
      fc.constantFrom(
        null,
        true,
        0,
        -1,
        1e300,
        "",
        "eth+",
        "+",
        "é\n",
        "tcp://h:1",
        "ipc:///x y",
        "hostsfile",
      ),
      fc.array(fc.oneof(fc.string({ maxLength: 12 }), fc.integer()), { maxLength: 4 }),
      fc.dictionary(fc.string({ maxLength: 4 }), fc.integer(), { maxKeys: 2 }),
    );
    const key = fc.constantFrom(
      "bantime",
      "polltime",
      "bindstrings",
      "bindstring",
      "interface",
      "backend",
      "whitelist",
      "logpath",
      "x",
    );
    fc.assert(
      fc.property(fc.dictionary(key, value), (made) => {
        try {
          expect(check(importSwabber(JSON.stringify(made), "swabber.yaml").text).errors).toEqual([]);
        } catch (error) {
          if (!(error instanceof StoplogError)) throw error;
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe("existingBans()", () => {
  const sed = (command: string, input: string): string => {
    const [, script = ""] = /sed -nE '([^']+)'/.exec(command) ?? [];
    return execFileSync("sed", ["-nE", script], { input, encoding: "utf8" });
  };

  it("finds exactly Swabber's rules and lines", () => {
    const [take = "", remove = ""] = existingBans("iptables", "5h");
    const rules = [
      '-A INPUT -s 192.0.2.1/32 -i eth+ -m comment --comment "swabber:1511000000" -j DROP',
      "-A INPUT -s 192.0.2.2/32 -m comment --comment swabber:1511000000 -j DROP",
      "-A INPUT -s 192.0.2.3/32 -j DROP",
      '-A INPUT -s 192.0.2.4/32 -m comment --comment "not swabber:1; reboot" -j DROP',
      '-A FORWARD -s 192.0.2.5/32 -m comment --comment "swabber:1511000000" -j DROP',
    ].join("\n");
    expect(sed(take, rules)).toBe("192.0.2.1\n192.0.2.2\n");
    expect(sed(remove, rules)).toBe(
      'iptables -D INPUT -s 192.0.2.1/32 -i eth+ -m comment --comment "swabber:1511000000" -j DROP\n' +
        "iptables -D INPUT -s 192.0.2.2/32 -m comment --comment swabber:1511000000 -j DROP\n",
    );
    const [lines = ""] = existingBans("hostsfile", -1);
    expect(
      sed(lines, "ALL: 192.0.2.1 #swabber:1511000000\nsshd: 192.0.2.2\n# ALL: 192.0.2.3 #swabber:1\n"),
    ).toBe("192.0.2.1\n");
    expect(lines).toContain("--for -1");
  });
});
