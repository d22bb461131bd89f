import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { diskOf } from "./disk.test-support.ts";
import { importFail2ban } from "./import-fail2ban.ts";
import { type Files, imported, JAILS, NOW } from "./imported.test-support.ts";
import { runs } from "../../../test/support/budget.ts";

describe("importFail2ban() of a hostile tree", () => {
  const jail = "[door]\nenabled = true\nlogpath = /var/log/door.log\n";
  const with_ = (files: Files): readonly string[] => imported({ ...JAILS, ...files }).said;

  it("needs a jail.conf or a jail.local", () => {
    expect(() => importFail2ban("/f", diskOf({}), NOW)).toThrow(
      "Cannot read /f: it contains neither jail.conf nor jail.local",
    );
  });

  it("stops at files that include one another", () => {
    const loop = {
      "jail.local": `[INCLUDES]\nbefore = a.conf\n${jail}`,
      "a.conf": "[INCLUDES]\nafter = jail.local b.conf\n",
      "b.conf": "",
    };
    expect(with_({ ...loop, "a.conf": "[INCLUDES]\nafter = jail.local\n b.conf\n" }).join("\n")).toContain(
      "INCLUDES: /f/jail.local includes itself: left out (/f/a.conf:2)",
    );
    const many = Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [
        `x${i}.conf`,
        `[INCLUDES]\nbefore = ${`x${i + 1}.conf\n `.repeat(4)}`,
      ]),
    );
    expect(() =>
      with_({ ...many, "x12.conf": "[a]\nb=1\n", "jail.local": `[INCLUDES]\nbefore = x0.conf\n${jail}` }),
    ).toThrow(/^Cannot use \S+: it includes more than 2000 files$/);
  });

  it("stops at circular values, and at values that grow", () => {
    const said = with_({
      "jail.local": `[door]\nenabled = true\nlogpath = %(a)s\na = %(b)s\nb = %(a)s\n`,
    }).join("\n");
    expect(said).toContain("door.logpath: its %(…)s references are circular: left out");
    const bomb = Array.from({ length: 9 }, (_, i) => `v${i} = ${`%(v${i + 1})s`.repeat(40)}\n`).join("");
    expect(
      with_({ "jail.local": `[door]\nenabled = true\nlogpath = %(v0)s\n${bomb}v9 = x\n` }).join("\n"),
    ).toContain("door.logpath: too long after expansion");
  });

  it("stops at circular tags, and at tags that grow", () => {
    const filter = (lines: string): Files => ({
      "filter.d/door.conf": `[Definition]\nfailregex = ^<a> <HOST>$\n${lines}`,
    });
    expect(with_(filter("a = <b>\nb = <a>\n")).join("\n")).toMatch(
      /failregex: <[ab]> refers to itself: left out/,
    );
    const bomb = Array.from({ length: 9 }, (_, i) => `t${i} = ${`<t${i + 1}>`.repeat(40)}\n`).join("");
    expect(with_(filter(`a = <t0>\n${bomb}t9 = x\n`)).join("\n")).toMatch(
      /too long after expansion|refers to itself/,
    );
  });

  it("makes a valid configuration of any content", () => {
    const keys = [
      "logpath",
      "port",
      "protocol",
      "filter",
      "action",
      "ignoreip",
      "backend",
      "journalmatch",
      "bantime",
      "findtime",
    ];
    const more = [
      "logtimezone",
      "bantime.increment",
      "bantime.multipliers",
      "failregex",
      "ignoreregex",
      "datepattern",
      "prefregex",
    ];
    const words = [
      "%(__name__)s",
      "%(known/failregex)s",
      "door",
      "[",
      "]",
      "=",
      ",",
      '"',
      "'",
      "\\",
      "<HOST>",
      "<F-CONTENT>.+</F-CONTENT>$",
    ];
    const others = [
      "^",
      "(",
      ")",
      "*",
      "iptables[port=22]",
      "nftables",
      "route",
      "mail[dest=x]",
      "/a/*.log",
      "/b",
      "1h",
      "-1",
      "true",
      "systemd",
    ];
    const odd = [
      "A=b",
      "+",
      "%Y",
      "{DATE}",
      "\u2028",
      "\u00a0",
      "ä",
      "#",
      ": ",
      "- ",
      "|",
      "!",
      "&a",
      "\t",
      "\n  ",
      "300.1.1.1/99",
      "::1",
    ];
    const text = fc
      .array(fc.constantFrom(...words, ...others, ...odd), { maxLength: 8 })
      .map((parts) => parts.join(" "));
    const line = fc
      .tuple(fc.constantFrom(...keys, ...more), text)
      .map(([key, value]) => `${key} = ${value}\n`);
    fc.assert(
      fc.property(fc.array(line, { maxLength: 10 }), (lines) => {
        const local = `[door]\nenabled = true\n${lines.join("")}`;
        const { page, said } = imported({ ...JAILS, "jail.local": local });
        expect(Object.hasOwn(page.jails ?? {}, "door") || said.join("\n").includes("jail door: ")).toBe(true);
      }),
      { numRuns: runs(300) },
    );
  });

  it("skips binary files, and reports them", () => {
    expect(with_({ "jail.d/x.conf": "\u0000\u0001" })).toContain(
      "Cannot read /f/jail.d/x.conf: not a text file: left out",
    );
  });

  it("refuses too much text", () => {
    const big = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`jail.d/${i}.conf`, `# ${"x".repeat(1 << 20)}\n`]),
    );
    expect(() => with_(big)).toThrow(/^Cannot use \S+: all files together are larger than 16 MiB$/);
  });

  it("bounds jails and patterns, and reports it", () => {
    const jails = Array.from(
      { length: 600 },
      (_, i) => `[j${i}]\nenabled = true\nfilter = tiny\nlogpath = /x.log\nmaxretry = ${i + 1}\n`,
    );
    const tiny = { "filter.d/tiny.conf": "[Definition]\nfailregex = ^ no key for <HOST>$\n" };
    const { page, said } = imported({ ...JAILS, ...tiny, "jail.local": jails.join("") });
    expect(Object.keys(page.jails)).toHaveLength(500);
    expect(said).toContain("Only the first 500 of 600 enabled jails were converted");
    const patterns = Array.from({ length: 600 }, (_, i) => `  ^ no key ${i} for <HOST>$\n`).join("");
    const filter = { "filter.d/door.conf": `[Definition]\nfailregex =\n${patterns}` };
    expect(with_(filter).join("\n")).toContain(
      "door: filter door: only the first 500 of 600 failregex lines were converted",
    );
  });

  it("never leaves the folder by a name", () => {
    const said = with_({
      "jail.local": `${jail}filter = ../../etc/passwd\naction = ../x\n`,
      "/etc/passwd.conf": "[Definition]\n",
    });
    expect(said.join("\n")).toContain("door.filter: filter '../../etc/passwd' not found");
  });

  it("refuses patterns whose time or memory is unbounded", () => {
    const patterns = [
      "^(a+)+\\1 <HOST>$",
      `^${"(".repeat(5000)}<HOST>`,
      `^${"x".repeat(20_000)}<HOST>`,
      "^[<HOST>",
    ];
    const said = with_({
      "filter.d/door.conf": `[Definition]\nfailregex = ${patterns.join("\n  ")}\n  ^fine <HOST>$\n`,
    });
    expect(said.filter((sentence) => sentence.startsWith("door: filter door: failregex"))).toHaveLength(4);
  });

  it("escapes control characters in comments and messages", () => {
    const { text, said } = imported({
      ...JAILS,
      "jail.local": `[do\u202eor]\nenabled = true\nfilter = door\nlogpath = /x.log\nignoreip = \u202e[2J\n`,
    });
    expect(text).not.toContain("\u202e");
    expect(said.join("")).toContain("ignoreip");
  });
});
