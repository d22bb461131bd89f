import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type ConfigReading, readConfig } from "../../config/read-config.ts";
import { sourceSchemas } from "../../config/source-schema.ts";
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

const HAS_ZMQ = Object.hasOwn(sourceSchemas, "zmq");

function check(text: string): ConfigReading {
  // Until there is a source of type zmq, all but that is looked at.
  const checked = HAS_ZMQ ? text : text.replace(/^ {2}swabber: \{ type: zmq.*$/m, "  x: { type: stdin }");
  return readConfig(checked, "stoplog.yaml", {
    readFilter: () => ({ kind: "missing", known: [] }),
    stateDirectory: null,
  });
}

function source(text: string): unknown {
  return (parse(importSwabber(text, "swabber.yaml").text) as { sources: { swabber: unknown } }).sources
    .swabber;
}

/** What is said beside that which is always said, without places. */
function differences(text: string): readonly string[] {
  const usual = new Set(importSwabber(GOOD, "swabber.yaml").differences);
  const imported = importSwabber(text, "swabber.yaml");
  expect(check(imported.text).errors).toEqual([]);
  return imported.differences
    .filter((sentence) => !usual.has(sentence) && !sentence.startsWith("Bans that Swabber has made"))
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

  it("takes Swabber's defaults where nothing is said", () => {
    expect(source("polltime: 60\n")).toMatchObject({ connect: "tcp://127.0.0.1:22620", bantime: "2m" });
    const { config } = check(importSwabber("polltime: 60\n", "swabber.yaml").text);
    expect(config?.targets.find(({ name }) => name === "swabber")?.enforcers).toMatchObject([
      { interface: "eth+" },
    ]);
  });

  it("trusts the feed with what Swabber did, however long its bans are", () => {
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

  it("connects to sockets of this machine too", () => {
    expect(source("bindstrings: ['ipc:///run/swabber.sock']\n")).toMatchObject({
      connect: "ipc:///run/swabber.sock",
    });
  });

  it("bans for ever where nothing was cleaned up, and on all interfaces where + stands", () => {
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
    ["polltime: 60", ["polltime: bans end when their time is up, and nothing is polled: left out"]],
    ["logpath: /x", ["logpath: Stoplog logs to standard error, and so to the journal: left out"]],
    ["color: red", ["color: Swabber has no such key: left out"]],
    ["bindstring: tcp://127.0.0.1:1", ["bindstring: bindstrings stands beside it, which alone counts"]],
  ])("says of %s what becomes of it", (line, said) => {
    expect(differences(`${GOOD}${line}\n`)).toEqual(said);
  });

  it.each([
    [
      "bantime: 18000",
      "bantime: soon",
      ['bantime: "soon" is no number of seconds up to 100 years: 120, its default, was written instead'],
    ],
    [
      "bantime: 18000",
      "bantime: -5",
      ['bantime: "-5" is no number of seconds up to 100 years: 120, its default, was written instead'],
    ],
    [
      "bantime: 18000",
      "bantime: [1]",
      ["bantime: a list is no number of seconds up to 100 years: 120, its default, was written instead"],
    ],
    [
      "interface: eth+",
      "interface: 'a b; c'",
      ['interface: "a b; c" is no interface\'s name: bans hold on all of them'],
    ],
    [
      "backend: iptables_cmd",
      "backend: nft",
      ['backend: "nft" is none of Swabber\'s: iptables was written instead'],
    ],
    [
      "backend: iptables_cmd",
      "backend: iptables",
      [
        "backend: Swabber's own iptables, its default, could not ban anybody (iptables_cmd could): from now on it bans",
      ],
    ],
    [
      "whitelist: [192.0.2.0/24",
      "whitelist: [192.0.2.0/99",
      ['whitelist: "192.0.2.0/99" is no address and no network: left out'],
    ],
    [
      "whitelist: [192.0.2.0/24, 198.51.100.7]",
      "whitelist: 192.0.2.1",
      ["whitelist: it is no list: left out"],
    ],
    [
      "tcp://[::1]:22621",
      "inproc://x",
      ['bindstrings: "inproc://x" is no tcp://HOST:PORT and no ipc:///PATH to connect to: left out'],
    ],
    [
      "tcp://[::1]:22621",
      "tcp://*:22621",
      ['bindstrings: "tcp://*:22621" is no tcp://HOST:PORT and no ipc:///PATH to connect to: left out'],
    ],
    [
      "tcp://[::1]:22621",
      "tcp://203.0.113.9:22621",
      [
        "bindstrings: whoever answers at tcp://203.0.113.9:22621 can have anybody banned, since nothing in Swabber's messages says who sent them",
      ],
    ],
    [
      '["tcp://127.0.0.1:22620", "tcp://[::1]:22621"]',
      "{}",
      [
        "bindstrings: a map is no tcp://HOST:PORT and no ipc:///PATH to connect to: left out",
        "bindstrings: nothing in it can be used: nobody orders any bans",
      ],
    ],
  ])("%s -> %s", (from, to, said) => {
    expect(GOOD.split(from)).toHaveLength(2);
    const found = differences(GOOD.replace(from, () => to));
    expect(found.toSorted()).toEqual(said.toSorted());
  });

  it("knows the key of old Swabbers, and that their bantime was in minutes", () => {
    const old = "bindstring: tcp://127.0.0.1:9\nbantime: 3\n";
    expect(source(old)).toMatchObject({ connect: "tcp://127.0.0.1:9", bantime: "3s" });
    expect(importSwabber(old, "x").differences.join()).toContain("bantime is in minutes");
  });

  it("makes something good of whatever stands in the keys, or refuses it", () => {
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

  it("finds Swabber's rules and lines and no others", () => {
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
