import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AUTH, read } from "../../test/support/read-config-text.ts";

describe("readConfig()", () => {
  it("reports all errors at once, in the order of their places", () => {
    const text = `
sources:
  auth: { type: file, path: auth.log }
jails:
  sshd:
    sources: [auth, mail]
    maxretries: 5
    findtime: soon
    failregex: ['<HOSTT>']
  nginx: { sources: auth, maxretry: 0, target: slow }
limits: { bans: many }
`;
    expect(read(text).errors).toEqual([
      'Cannot use source auth: path must begin with /, not "auth.log" (stoplog.yaml:3:29)',
      "Cannot use jail sshd: source mail does not exist; there is auth (stoplog.yaml:6:21)",
      "Cannot use jail sshd: unknown key maxretries (did you mean maxretry?) (stoplog.yaml:7:5)",
      'Cannot use jail sshd: findtime must be a duration such as 10m or 1d12h, not "soon" (stoplog.yaml:8:15)',
      "Cannot use jail sshd: failregex 1 has unknown tag <HOSTT> (did you mean <HOST>?) (stoplog.yaml:9:17)",
      "Cannot use jail nginx: maxretry must be 1 or more (stoplog.yaml:10:37)",
      "Cannot use jail nginx: target slow does not exist; there are default, throttle (stoplog.yaml:10:48)",
      'Cannot use the configuration: limits.bans must be a whole number, not "many" (stoplog.yaml:11:17)',
    ]);
  });

  it("reports a hundred errors and counts the rest [limit: configErrors]", () => {
    const { errors } = read(Array.from({ length: 150 }, (_, i) => `key${i}: 1\n`).join(""));
    expect(errors).toHaveLength(101);
    expect(errors.at(-1)).toBe("Cannot use stoplog.yaml: 50 more errors");
  });

  it("shows a key's name without control characters, and shortened", () => {
    const { errors } = read(`"\\e[31mred\\n": 1\n${"x".repeat(900)}: 1\n`);
    expect(errors).toEqual([
      "Cannot use the configuration: unknown key \\x1b[31mred\\x0a (stoplog.yaml:1:1)",
      `Cannot use the configuration: unknown key ${"x".repeat(59)}… (stoplog.yaml:2:1)`,
    ]);
  });

  it("takes names of JavaScript's own properties as names", () => {
    expect(read("constructor: 1\n").errors).toEqual([
      "Cannot use the configuration: unknown key constructor (stoplog.yaml:1:1)",
    ]);
    expect(read("jails: { __proto__: {} }\n").errors).toEqual([
      expect.stringContaining("Cannot use jail __proto__: the name must consist of"),
    ]);
    expect(read(`${AUTH}jails: { toString: { sources: auth, filter: sshd } }`).config?.jails[0]!.name).toBe(
      "toString",
    );
  });

  it("never throws, and returns a configuration or at least one error", () => {
    const words = fc.constantFrom(
      "sources",
      "targets",
      "jails",
      "defaults",
      "ignoreip",
      "limits",
      "bans",
      "log",
      "level",
      "state",
      "type",
      "file",
      "path",
      "syslog",
      "listen",
      "sshd",
      "auth",
      "maxretry",
      "bantime",
      "filter",
      "failregex",
      "define",
      "<HOST>",
      "(",
      "-1",
      "10m",
      "0",
      "true",
      "null",
      "&a",
      "*a",
      ": ",
      ":\n",
      "\n",
      "\n  ",
      "\n    ",
      "- ",
      "{",
      "}",
      "[",
      "]",
      ", ",
      "'",
      '"',
      "|",
      "<<",
      "? ",
      "!x",
      "#",
      "\t",
      "\0",
    );
    const check = (text: string): void => {
      const { config, errors } = read(text);
      expect(config === null).toBe(errors.length > 0);
      for (const sentence of errors) expect(sentence).toMatch(/^Cannot use .*[^.]$/);
    };
    fc.assert(
      fc.property(fc.array(words, { maxLength: 40 }), (parts) => check(parts.join(""))),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), check));
  });

  it("never throws for the right keys with any values", () => {
    const value = fc.oneof(
      fc.jsonValue({ maxDepth: 2 }),
      fc.constantFrom("auth", "sshd", "default", "10m", "self", "192.0.2.1", "^<HOST>$"),
    );
    const keys = (names: readonly string[]) => fc.dictionary(fc.constantFrom(...names), value);
    const config = fc.record({
      sources: fc.dictionary(
        fc.constantFrom("auth", "b"),
        keys(["type", "path", "listen", "mode", "units", "command", "timezone"]),
      ),
      targets: fc.dictionary(
        fc.constantFrom("default", "slow"),
        keys(["verdict", "rate", "burst", "ports", "protocols"]),
      ),
      jails: fc.dictionary(
        fc.constantFrom("sshd", "x"),
        keys([
          "sources",
          "filter",
          "failregex",
          "maxretry",
          "findtime",
          "bantime",
          "target",
          "ignoreip",
          "usedns",
          "enabled",
        ]),
      ),
      defaults: keys(["sources", "filter", "bantime", "ignoreregex"]),
      ignoreip: value,
      state: value,
    });
    fc.assert(
      fc.property(config, (written) => {
        const { config: made, errors } = read(JSON.stringify(written));
        expect(made === null).toBe(errors.length > 0);
      }),
      { numRuns: 200 },
    );
  });
});
