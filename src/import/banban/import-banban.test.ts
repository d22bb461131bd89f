import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ConfigReading, readConfig } from "../../config/read-config.ts";
import { formatPrefix } from "../../core/prefix.ts";
import { HOUR, MINUTE } from "../../core/time.ts";
import { LIMITS } from "../../core/limits.ts";
import { StoplogError } from "../../core/errors.ts";
import { importBanban } from "./import-banban.ts";

const RULES = `*filter
-A INPUT -m recent --rcheck --seconds 180 --hitcount 1 --name SLOW --mask 255.255.255.255 --rsource -j DROP
-A INPUT -m recent --rcheck --seconds 7200 --name SHUT --mask 255.255.255.255 --rsource -j DROP
`;

const GOOD = String.raw`
socket: /run/banban/socket
goodpatterns:
  - 'shop\[\d+\]: order of (?<ip>[0-9a-f:.]+) paid'
ignorenets: [192.0.2.0/24, '2001:db8::/32']
blocktypes:
  mild:
    target: SLOW
    minocc: 1
    interval: 86400
    patterns:
      - &coupon 'shop\[\d+\]: bad coupon .* from (?<ip>[0-9a-f:.]+)$'
  hard:
    target: SHUT
    minocc: 5
    interval: 1800
    resetconns: 1
    patterns:
      - *coupon
      - 'door\[\d+\]: (?i)no entry for <(?<ip>[[:xdigit:].:]+)>'
`;

function check(text: string): ConfigReading {
  return readConfig(text, "stoplog.yaml", {
    readFilter: () => ({ kind: "missing", known: [] }),
    stateDirectory: null,
  });
}

/** The differences other than the usual ones. */
function differences(text: string, rules: string | null = RULES): readonly string[] {
  const usual = new Set(importBanban(GOOD, "banban.yml", RULES).differences);
  const imported = importBanban(text, "banban.yml", rules);
  expect(check(imported.text).errors).toEqual([]);
  return imported.differences.filter((sentence) => !usual.has(sentence));
}

/** GOOD with another text in place of one that occurs once. */
function withChange(from: string, to: string): string {
  expect(GOOD.split(from)).toHaveLength(2);
  return GOOD.replace(from, () => to);
}

describe("importBanban()", () => {
  it("makes a valid configuration of jails that count together", () => {
    const { config, errors } = check(importBanban(GOOD, "/etc/banban.yml", RULES).text);
    expect(errors).toEqual([]);
    expect(config?.sources.get("banban")).toMatchObject({
      type: "syslog",
      listen: "unix:/run/banban/socket",
      maxLine: 4096,
    });
    expect(config?.ignoreip.map(formatPrefix)).toEqual(["192.0.2.0/24", "2001:db8::/32"]);
    expect(
      config?.targets
        .filter(({ name }) => name !== "default")
        .map(({ name, resetConnections }) => [name, resetConnections]),
    ).toEqual([
      ["SLOW", false],
      ["SHUT", true],
    ]);
    const [good, mild, hard] = config?.jails ?? [];
    expect(good).toMatchObject({
      onGood: "unban",
      forgive: "always",
      countWith: "banban",
      filter: { failregex: [] },
    });
    expect(mild).toMatchObject({
      countWith: "banban",
      findtime: 24 * HOUR,
      steps: [{ maxretry: 1, target: "SLOW", bantime: 3 * MINUTE }],
    });
    expect(hard).toMatchObject({
      findtime: 30 * MINUTE,
      steps: [{ maxretry: 5, target: "SHUT", bantime: 2 * HOUR }],
    });
  });

  it("comments each part with its origin", () => {
    const { text } = importBanban(GOOD, "/etc/banban.yml", RULES);
    expect(text).toMatch(/^# What banban does according to \/etc\/banban\.yml/);
    for (const part of [
      "# socket",
      "# goodpatterns",
      "# blocktypes.hard",
      "# ignorenets",
      "# its rule's --seconds",
    ])
      expect(text).toContain(part);
    expect(text).toContain(String.raw`- 'door\[\d+\]: (?i)no entry for <(?<ip>[0-9A-Fa-f.:]+)>'`);
  });

  it.each([
    [
      "minocc: 5",
      "minocc: 12",
      [
        "blocktypes.hard: minocc is 12, but banban counts to 11 at most, so it never blocks; its jail has enabled: false",
      ],
    ],
    ["minocc: 5", "minocc: 11", []],
    ["minocc: 5", "minocc: 0", ["blocktypes.hard.minocc: 0 or missing blocks at the first line, as 1 does"]],
    [
      "minocc: 5",
      "minocc: five",
      [
        'blocktypes.hard.minocc: "five" is not a number: Perl reads it as 0',
        "blocktypes.hard.minocc: 0 or missing blocks at the first line, as 1 does",
      ],
    ],
    [
      "minocc: 5",
      "minocc: 3 times",
      ['blocktypes.hard.minocc: "3 times" is not a number: Perl reads it as 3'],
    ],
    [
      "interval: 1800",
      "interval: 0",
      [
        "blocktypes.hard: interval is 0 or missing, so no line is recent enough, so it never blocks; its jail has enabled: false",
      ],
    ],
    [
      "interval: 1800",
      "interval: 99999999999",
      ["blocktypes.hard.interval: longer than a year, the longest findtime"],
    ],
    [
      "resetconns: 1",
      "resetconns: no",
      ['blocktypes.hard.resetconns: "no" is a word, which is true in Perl: connections are cut'],
    ],
    ["resetconns: 1", "resetconns: 0", []],
    ["resetconns: 1", "bantime: 1", ["blocktypes.hard.bantime: not a key of banban: left out"]],
    [
      "ignorenets: [192.0.2.0/24",
      "ignorenets: [192.0.2.0/44",
      ['ignorenets: "192.0.2.0/44" is not a network: left out'],
    ],
    [
      "target: SHUT",
      "target: SLOW",
      [
        "blocktypes.mild.resetconns: connections are cut here too, because hard has the same list and resetconns",
      ],
    ],
    [
      "target: SHUT",
      "target: ../../sys",
      [
        'blocktypes.hard: its target "../../sys" is not a list name of at most 31 letters, digits, _, ., + and -: left out',
      ],
    ],
    ["    target: SHUT\n", "", ["blocktypes.hard: has no target: left out"]],
    [
      "socket: /run/banban/socket",
      "socket: [a]",
      [
        "socket: not the absolute path of a file, of at most 107 bytes: left out",
        "socket: missing: using /run/stoplog/syslog.sock",
      ],
    ],
    [
      "      - *coupon\n",
      "      - '(?>a) (?<ip>x)'\n",
      ["blocktypes.hard.patterns 1: an atomic group, (?>…), is not supported: left out"],
    ],
    ["      - *coupon\n", "      - {}\n", ["blocktypes.hard.patterns 1: a map is not a pattern: left out"]],
    ["socket:", "sockets: 1\nsocket:", ["sockets: not a key of banban: left out"]],
  ])("%s -> %s", (from, to, facts) => {
    const said = differences(withChange(from, to));
    expect(said.map((sentence) => sentence.replace(/ \(banban\.yml:\d+:\d+\)$/, "")).toSorted()).toEqual(
      facts.toSorted(),
    );
  });

  it("disables the jail of a blocktype that never blocked", () => {
    const { text } = importBanban(withChange("minocc: 5", "minocc: 20"), "banban.yml", RULES);
    expect(check(text).config?.jails.map(({ name }) => name)).toEqual(["good", "mild"]);
  });

  it("follows aliases and merge keys", () => {
    const merged = `${GOOD}  again: { <<: { target: SLOW, minocc: 2 }, interval: 60, patterns: [*coupon] }\n`;
    const { config } = check(importBanban(merged, "banban.yml", RULES).text);
    expect(config?.jails.at(-1)).toMatchObject({ name: "again", maxretry: 2, steps: [{ target: "SLOW" }] });
  });

  it("guesses bantime without a rule, and reports that", () => {
    const { text, differences: said } = importBanban(GOOD, "banban.yml", null);
    expect(check(text).config?.jails[1]?.steps).toMatchObject([{ bantime: HOUR }]);
    expect(said).toContain(
      "Target SLOW: the rules of the firewall could not be read, so bantime is a guess (1h): set it to the --seconds of your rule",
    );
  });

  it("takes the longest --seconds of a list's rules, and reports options that do not fit", () => {
    const rules = `${RULES}-A FORWARD -m recent --update --seconds 600 --hitcount 3 --name SLOW -j DROP\n-A INPUT -m recent --rcheck --name SHUT -j DROP\n-A INPUT -m recent --set --name OTHER\n`;
    const { text, differences: said } = importBanban(GOOD, "banban.yml", rules);
    expect(
      check(text)
        .config?.jails.slice(1)
        .map(({ steps }) => steps[0]?.bantime),
    ).toEqual([10 * MINUTE, Infinity]);
    expect(said.filter((sentence) => sentence.startsWith("Target SLOW"))).toMatchObject(
      [
        "Target SLOW: its rule has --hitcount 3, but a ban is written once: remove --hitcount from the rule",
        "Target SLOW: its rule extends a block with every packet (--update), but Stoplog ends it after 10m: use a longer bantime, or --rcheck in the rule",
        /^Target SLOW: at its start/,
      ].map((text) => (typeof text === "string" ? text : expect.stringMatching(text))),
    );
  });

  it("replaces invalid names", () => {
    const odd = withChange(
      "  hard:",
      '  "é\\n# jails:": { target: SHUT, minocc: 1, interval: 9, patterns: [*coupon] }\n  good:',
    );
    const { config, errors } = check(importBanban(odd, "banban.yml\n", RULES).text);
    expect(errors).toEqual([]);
    expect(config?.jails.map(({ name }) => name)).toEqual(["good", "mild", "jails-", "good-2"]);
  });

  it.each([
    ["", "Cannot use banban.yml: it is empty (banban.yml:1:1)"],
    ["- a\n", "Cannot use banban.yml: not a map of keys and values (banban.yml:1:1)"],
    ["socket: 'x\n", "Cannot use banban.yml: quote is never closed (banban.yml:1:9)"],
    ["a: b: c\n", /^Cannot use banban\.yml: .* \(banban\.yml:1:\d+\)$/],
    ["[".repeat(500), /^Cannot use banban\.yml: flow sequence/],
    [`a: ${"x".repeat(LIMITS.configLength.value)}`, /^Cannot use banban\.yml: larger than 1 MiB/],
    ["a: \0", /^Cannot use banban\.yml: not a text file: it contains the character U\+0000/],
    [
      `a: &a [1,2,3,4,5,6,7,8,9]\n${"bcdefghi"
        .split("")
        .map((key, i) => `${key}: &${key} [${`*${"abcdefgh"[i]},`.repeat(9)}]`)
        .join("\n")}\n`,
      /^Cannot use banban\.yml: aliases that expand to too much/,
    ],
  ])("refuses %j with one sentence", (text, sentence) => {
    expect(() => importBanban(text, "banban.yml", RULES)).toThrow(StoplogError);
    expect(() => importBanban(text, "banban.yml", RULES)).toThrow(sentence);
  });

  it("bounds what aliases multiply", () => {
    const long = `x(?<ip>a)${"y".repeat(3000)}`;
    const bomb = `blocktypes:\n  a: { target: A, patterns: &p [&x '${long}'${", *x".repeat(400)}] }\n`;
    expect(() => importBanban(bomb, "banban.yml", null)).toThrow("the result is larger than 1 MiB");
  });

  it.each([
    ["nested without end", `(?<ip>a)${"(".repeat(100_000)}${")".repeat(100_000)}`, "nested too deep"],
    ["counted without end", `(?<ip>a)${"b{1000}".repeat(100_000)}`, ""],
    ["a class without end", `[${"[.".repeat(100_000)}`, "unterminated class ["],
  ])("leaves out a pattern that is %s", (_, pattern, fact) => {
    const text = `socket: /x\nblocktypes: { a: { target: A, patterns: ['${pattern}'] } }\n`;
    const { differences: said } = importBanban(text, "banban.yml", null);
    expect(said.find((sentence) => sentence.startsWith("blocktypes.a.patterns 1: "))).toContain(fact);
  });

  it("makes a valid configuration of any values, or refuses them", () => {
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(
          null,
          true,
          0,
          -1,
          1.5,
          1e300,
          "",
          "x",
          "(?<ip>",
          "1e999",
          "-0",
          "SLOW",
          "no (?<ip>\\S+) at",
          "\u0007\u2028é",
          "a: b",
        ),
        fc.string({ maxLength: 20 }),
        fc.array(tie("any"), { maxLength: 4 }),
        fc.dictionary(
          fc.constantFrom("target", "patterns", "minocc", "interval", "resetconns", "<<", "x"),
          tie("any"),
          { maxKeys: 5 },
        ),
      ),
    })).any;
    const config = fc.dictionary(
      fc.constantFrom("socket", "goodpatterns", "ignorenets", "blocktypes", "<<"),
      value,
    );
    const nearly = fc.record({
      socket: value,
      goodpatterns: value,
      ignorenets: value,
      blocktypes: fc.dictionary(
        fc.string({ maxLength: 8 }),
        fc.record({
          target: fc.constantFrom("A", "B", "é"),
          patterns: fc.array(fc.oneof(value, fc.constant("x (?<ip>\\S+)"))),
          minocc: value,
          interval: value,
          resetconns: value,
        }),
      ),
    });
    fc.assert(
      fc.property(fc.oneof(config, nearly), (made) => {
        let text: string;
        try {
          text = importBanban(JSON.stringify(made), "banban.yml", RULES).text;
        } catch (error) {
          expect(error).toBeInstanceOf(StoplogError);
          return;
        }
        expect(check(text).errors).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
