import { describe, expect, it, onTestFinished } from "vitest";
import { formatAddress } from "../../core/address.ts";
import { explainLine } from "../explain.ts";
import { isLinear } from "../run/cost-class.ts";
import {
  compileFilter,
  type CompiledFilter,
  type FilterDefinition,
  rememberCompilations,
  useCompilations,
} from "./filter.ts";
import { fixedZone } from "../time/time-zone.ts";

const NOW = Date.UTC(2026, 10, 20, 15);
const context = { now: NOW, zone: fixedZone(0) };

function definition(parts: Partial<FilterDefinition>): FilterDefinition {
  return { name: "test", failregex: [], ignoreregex: [], goodregex: [], ...parts };
}

function filterOf(parts: Partial<FilterDefinition> | string): CompiledFilter {
  const { filter, problems } = compileFilter(
    definition(typeof parts === "string" ? { failregex: [parts] } : parts),
  );
  if (filter === null) throw new Error(problems.map((problem) => problem.fact).join("; "));
  return filter;
}

function facts(parts: Partial<FilterDefinition> | string): string[] {
  const given = typeof parts === "string" ? { failregex: [parts] } : parts;
  return compileFilter(definition(given)).problems.map((problem) => problem.fact);
}

function hostIn(parts: Partial<FilterDefinition> | string, line: string): string | null {
  const explanation = explainLine(filterOf(parts), line, context);
  if (!("match" in explanation)) return null;
  const { address, host } = explanation.match;
  return address === null ? `name ${host}` : formatAddress(address);
}

function latin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

describe("rememberCompilations()", () => {
  it("compiles equal definitions of different names once", () => {
    onTestFinished(() => useCompilations(() => undefined));
    rememberCompilations();
    const [one, two] = ["one", "two"].map(
      (name) => compileFilter({ ...definition({ failregex: ["^fail <HOST>$"] }), name }).filter,
    );
    expect([one?.name, two?.name]).toEqual(["one", "two"]);
    expect(two?.patterns).toBe(one?.patterns);
    expect(filterOf("^other <HOST>$").patterns).not.toBe(one?.patterns);
  });
});

describe("the tags of addresses", () => {
  it.each([
    ["from <HOST> port", "x from 192.0.2.7 port 22", "192.0.2.7"],
    ["from <HOST> port", "x from ::ffff:192.0.2.7 port 22", "192.0.2.7"],
    ["from <HOST> port", "x from 2001:db8::7 port 22", "2001:db8::7"],
    ["from \\[<HOST>\\]", "x from [2001:db8::7]", "2001:db8::7"],
    ["from <HOST>:\\d+", "x from [2001:db8::7]:8080", "2001:db8::7"],
    ["from <HOST>", "x from 192.0.2.7: Bye", "192.0.2.7"],
    ["from <HOST>", "x from 192.0.2.7:4711", "192.0.2.7"],
    ["from <HOST>", "x from 192.0.2.7.", "192.0.2.7"],
    ["from <HOST>", "x from mail.example.org", "name mail.example.org"],
    ["from <HOST>", "x from 192.0.2.7.example.org", "name 192.0.2.7.example.org"],
    ["from <HOST>.*bye", "x from 192.0.2.7.example.org bye", "name 192.0.2.7.example.org"],
    ["from <ADDR>", "x from 192.0.2.7.example.org", null],
    ["from <ADDR>.*bye", "x from 192.0.2.7-a.example.org bye", null],
    ["from .*?<ADDR>", "x from 14:44:48 mail 192.0.2.7", "192.0.2.7"],
    ["from .*?<ADDR>", "x from 14:44:48 mail 2001:db8::1.", "2001:db8::1"],
    ["from <ADDR>", "x from ::1", "::1"],
    ["from <ADDR>", "x from 1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"],
    ["from <ADDR>", "x from 64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["from <ADDR>", "x from 999.0.2.7", null],
    ["from <IP4>$", "x from 192.0.2.7", "192.0.2.7"],
    ["from <IP4>$", "x from 2001:db8::7", null],
    ["from <IP6>$", "x from 2001:db8::7", "2001:db8::7"],
    ["from <IP6>$", "x from 192.0.2.7", null],
    ["from <DNS>$", "x from mail.example.org", "name mail.example.org"],
    ["net <SUBNET> bad", "net 192.0.2.0/24 bad", "192.0.2.0"],
    ["id <F-ID/> bad", "id 192.0.2.9 bad", "192.0.2.9"],
    ["<F-IP4/> bad", "x 192.0.2.9 bad", "192.0.2.9"],
    ["(?P<host>\\S+) bad", "192.0.2.9 bad", "192.0.2.9"],
    ["(?<ip>\\S+) bad", "192.0.2.9 bad", "192.0.2.9"],
    ["(?:a <HOST>|b <HOST>) c", "b 192.0.2.9 c", "192.0.2.9"],
  ])("%s finds in '%s': %s", (pattern, line, host) => {
    expect(hostIn(pattern, line)).toBe(host);
  });

  it("accepts a fail2ban pattern for kernel logs unchanged", () => {
    const pattern = String.raw`kernel:.*?SRC=(?:::f{4,6}:)?(?P<host>[\w\-.^_]+) DST.*?SYN`;
    const line =
      "Nov 20 14:44:48 pi kernel: [ 1.2] IN=eth0 SRC=192.0.2.7 DST=198.51.100.1 LEN=60 PROTO=TCP SYN URGP=0";
    expect(hostIn(pattern, line)).toBe("192.0.2.7");
  });
});

describe("<SYSLOG>", () => {
  const filter = { daemon: "sshd(?:-session)?", failregex: ["<SYSLOG>Bad <HOST>$"] };
  it.each([
    "Nov 20 14:44:48 box sshd[12]: Bad 192.0.2.7",
    "Nov  2 14:44:48 box sshd[12]: Bad 192.0.2.7",
    "<38>Nov 20 14:44:48 box sshd-session[12]: Bad 192.0.2.7",
    "Nov 20 14:44:48 sshd[12]: Bad 192.0.2.7",
    "Nov 20 2026 14:44:48 box sshd: Bad 192.0.2.7",
    "2026-11-20T14:44:48.123456+01:00 box sshd[12]: Bad 192.0.2.7",
    "2026-11-20T14:44:48Z box /usr/sbin/sshd[12]: Bad 192.0.2.7",
    "1795185888.123456 box sshd[12]: Bad 192.0.2.7",
    "<38>1 2026-11-20T14:44:48.123Z box.example.org sshd 12 - - Bad 192.0.2.7",
    '<38>1 2026-11-20T14:44:48.123Z box sshd 12 ID47 [a@1 b="]\\]"][c@2] Bad 192.0.2.7'.replace(
      "]\\]",
      "\\]",
    ),
    "sshd[12]: Bad 192.0.2.7",
    "box sshd(pam_unix)[12]: Bad 192.0.2.7",
    "Nov 20 14:44:48 box auth.info sshd[12]: Bad 192.0.2.7",
    "Fri Nov 20 14:44:48 2026 authpriv.warn sshd[12]: Bad 192.0.2.7",
    "Nov 20 14:44:48 <auth.info> box sshd[12]: Bad 192.0.2.7",
    "Nov 20 14:44:48 <4.6> box sshd[12]: Bad 192.0.2.7",
    "Nov 20 14:44:48 s_src@box/relay sshd[12]: Bad 192.0.2.7",
    "Nov 20 14:44:48 box sshd[12]: [ID 800047 auth.info] Bad 192.0.2.7",
    "Nov 20 14:44:48 [sshd] Bad 192.0.2.7",
    "Nov 20 14:44:48 [sshd(12)] Bad 192.0.2.7",
    "2026-11-20T14:44:48.44817 auth.info: Nov 20 14:44:48 sshd[12]: Bad 192.0.2.7",
    "@400000006abcdef01234abcd auth.info: Nov 20 14:44:48 sshd[12]: Bad 192.0.2.7",
    "2026-11-20 14:44:48.123456+0100  box sshd[12]: Bad 192.0.2.7",
    "Fri 2026-11-20 14:44:48 CET box sshd[12]: Bad 192.0.2.7",
    "Nov 20 14:44:48 box e8d820bf982c[99]: Nov 20 14:44:48 sshd[12]: Bad 192.0.2.7",
    "Nov 20 14:44:48 box docker/mail[99]: sshd[12]: Bad 192.0.2.7",
    "<30>1 2026-11-20T14:44:48.123Z box e8d820bf982c 99 e8d820bf982c - Nov 20 14:44:48 box sshd[12]: Bad 192.0.2.7",
    "2026-11-20T14:44:48.123456789Z stderr F sshd[12]: Bad 192.0.2.7",
    "mail-1  | Nov 20 14:44:48 sshd[12]: Bad 192.0.2.7",
  ])("takes %s", (line) => {
    expect(hostIn(filter, line)).toBe("192.0.2.7");
  });

  it.each([
    "Nov 20 14:44:48 box cron[12]: Bad 192.0.2.7",
    "Nov 20 14:44:48 box cron[12]: sshd[1]: Bad 192.0.2.7",
    "Nov 20 14:44:48 cron: sshd[1]: Bad 192.0.2.7",
    "Nov 20 14:44:48 box mysshd[1]: Bad 192.0.2.7",
    "Nov 20 14:44:48 box app[1]: Nov 20 14:44:48 sshd[1]: Bad 192.0.2.7",
    "Nov 20 14:44:48 box app[1]: e8d820bf982c[99]: sshd[1]: Bad 192.0.2.7",
    "Nov 20 14:44:48 box app[1]: x | sshd[1]: Bad 192.0.2.7",
    "Nov 20 14:44:48 box app: [sshd] Bad 192.0.2.7",
    "2026-11-20T14:44:48Z stderr P sshd[1]: Bad 192.0.2.7",
    "<38>1 2026-11-20T14:44:48.123Z box cron 12 - - Nov 20 14:44:48 sshd[1]: Bad 192.0.2.7",
    "<38>1 2026-11-20T14:44:48.123Z box cron 12 - - sshd[1]: Bad 192.0.2.7",
  ])("does not take %s", (line) => {
    expect(hostIn(filter, line)).toBeNull();
  });

  it("takes the kernel's clock", () => {
    const kernel = { daemon: "kernel", failregex: ["<SYSLOG>IN=.*? SRC=<HOST> "] };
    expect(hostIn(kernel, "Nov 20 14:44:48 pi kernel: [  123.456] IN=eth0 SRC=192.0.2.7 DST=x")).toBe(
      "192.0.2.7",
    );
    expect(hostIn(kernel, "Nov 20 14:44:48 pi kernel: IN=eth0 SRC=192.0.2.7 DST=x")).toBe("192.0.2.7");
  });

  it("warns without 'daemon'", () => {
    expect(facts("<SYSLOG>Bad <HOST>")).toEqual(["<SYSLOG> without 'daemon' takes lines of any program"]);
  });
});

describe("a filter", () => {
  it("tries good patterns before failures, and the first match counts", () => {
    const filter = filterOf({
      goodregex: ["Accepted .* from <HOST>"],
      failregex: ["never <HOST>", "from <HOST>", "<HOST>"],
    });
    expect(explainLine(filter, "Accepted x from 192.0.2.7", context)).toMatchObject({
      kind: "good",
      pattern: 0,
    });
    expect(explainLine(filter, "Refused x from 192.0.2.7", context)).toMatchObject({
      kind: "failure",
      pattern: 1,
    });
  });

  it("ignores a line that ignoreregex matches", () => {
    const filter = filterOf({
      failregex: ["from <HOST>"],
      goodregex: ["ok <HOST>"],
      ignoreregex: ["backup"],
    });
    expect(explainLine(filter, "from 192.0.2.7 backup", context)).toEqual({ kind: "ignored" });
    expect(explainLine(filter, "ok 192.0.2.7 backup", context)).toEqual({ kind: "ignored" });
    expect(explainLine(filter, "nothing", context)).toEqual({ kind: "missed" });
  });

  it("shows its patterns only the content that prefregex found", () => {
    const filter = filterOf({
      prefregex: "^app (?P<level>\\w+): <F-CONTENT>.+</F-CONTENT>$",
      failregex: ["^bad <HOST>$"],
    });
    const explanation = explainLine(filter, "app warn: bad 192.0.2.7", context);
    expect(explanation).toMatchObject({ kind: "failure", match: { captures: { level: "warn" } } });
    expect(explainLine(filter, "bad 192.0.2.7", context).kind).toBe("missed");
  });

  it("takes the host from prefregex when the pattern has none", () => {
    expect(
      hostIn({ prefregex: "^<HOST> <F-CONTENT>.+</F-CONTENT>$", failregex: ["^bad$"] }, "192.0.2.7 bad"),
    ).toBe("192.0.2.7");
  });

  it("returns the captures without the host; alternatives replace empty ones", () => {
    const pattern =
      "(?:for <F-USER>\\w+</F-USER>|as <F-ALT_USER>\\w+</F-ALT_USER>) from <HOST> port <F-PORT/>";
    const failure = (line: string) => explainLine(filterOf(pattern), line, context);
    const first = failure("for root from 192.0.2.7 port 22");
    expect(first).toMatchObject({ match: { captures: { user: "root", fport: "22" } } });
    expect(failure("as admin from 192.0.2.7 port 22")).toMatchObject({
      match: { captures: { user: "admin" } },
    });
  });

  it("counts repeated messages only where syslog writes the wrapper", () => {
    const filter = filterOf({ daemon: "sshd", failregex: ["<SYSLOG>Bad .*from <HOST>$"] });
    const count = (line: string) => {
      const explanation = explainLine(filter, line, context);
      return "match" in explanation ? explanation.match.count : null;
    };
    expect(count("box sshd[1]: message repeated 5 times: [ Bad x from 192.0.2.7]")).toBe(5);
    expect(count("box sshd[1]: message repeated 999999 times: [ Bad x from 192.0.2.7]")).toBe(1000);
    expect(count("box sshd[1]: message repeated 0 times: [ Bad x from 192.0.2.7]")).toBe(1);
    expect(count("box sshd[1]: Bad x: message repeated 5 times: [ from 192.0.2.7")).toBe(1);
    expect(count("box sshd[1]: Bad x from 192.0.2.7")).toBe(1);
  });

  it("reads the time by its datepattern", () => {
    const filter = filterOf({ failregex: ["bad <HOST>"], datepattern: "^%d/%m/%Y %H.%M.%S" });
    expect(explainLine(filter, "20/11/2026 14.44.48 bad 192.0.2.7", context)).toMatchObject({
      match: { at: Date.UTC(2026, 10, 20, 14, 44, 48) },
    });
  });

  it("matches bytes: white space is ASCII, other characters are their UTF-8 bytes", () => {
    expect(hostIn("user \\S+ from <HOST>", latin1("user voilà from 192.0.2.7"))).toBe("192.0.2.7");
    expect(hostIn("échec+ de <HOST>", latin1("échecc de 192.0.2.7"))).toBe("192.0.2.7");
    expect(hostIn("é+ <HOST>", latin1("ééé 192.0.2.7"))).toBe("192.0.2.7");
    expect(hostIn("^\\w+ [\\w-]+ <HOST>$", latin1("è müller-lüdenscheidt 192.0.2.7"))).toBe(null);
    expect(hostIn("(?u)^\\w+ [\\w-]+ <HOST>$", latin1("è müller-lüdenscheidt 192.0.2.7"))).toBe("192.0.2.7");
    expect(hostIn("(?u)^x\\W <HOST>$", latin1("xÿ 192.0.2.7"))).toBe(null);
    expect(hostIn("(?i)ÉCHEC [aéè]x <HOST>", latin1("échec èx 192.0.2.7"))).toBe("192.0.2.7");
    const excluding = "(?i)^[^a]x <HOST>$";
    expect(["Bx", "Ax", "ax"].map((word) => hostIn(excluding, `${word} 192.0.2.7`))).toEqual([
      "192.0.2.7",
      null,
      null,
    ]);
  });
});

describe("errors of a filter", () => {
  it.each([
    ["from <HOSTT>", "unknown tag <HOSTT> (did you mean <HOST>?)"],
    ["from anywhere", "has no <HOST>: it does not say which address to ban"],
    ["(from <HOST>", "unterminated group"],
    ["<F-USER>x from <HOST>", "unterminated group: <F-USER> has no </F-USER>"],
    ["from <HOST>)", "unmatched )"],
    ["(x)\\1 <HOST>", "back-reference by number: name the group, (?P<name>…), and write (?P=name)"],
    ["x(?P=q) <HOST>", "reference to an unknown group: q"],
    ["(?P<q>x)?(?(q)a|b|c) <HOST>", "condition with more than two branches"],
    ["(?>x) <HOST>", "atomic group is not supported"],
    ["x++ <HOST>", "possessive ++ is not supported"],
    ["* <HOST>", "nothing to repeat before *"],
    ["[a <HOST>", "unterminated class ["],
    ["[^é] <HOST>", "é in a negated class: it is more than one byte long"],
    ["x{3,2} <HOST>", "{3,2} counts down"],
    ["x{3000} <HOST>", "{3000} counts beyond 1000"],
    ["\\y <HOST>", "unknown escape \\y"],
  ])("%s: %s", (pattern, fact) => {
    expect(facts(pattern)[0]).toBe(fact);
    expect(compileFilter(definition({ failregex: [pattern] })).filter).toBeNull();
  });

  it("refuses a pattern that is nested too deep", () => {
    expect(facts(`<HOST>${"(".repeat(50_000)}${")".repeat(50_000)}`)).toEqual(["is nested too deep"]);
  });

  it("lists all errors with their places", () => {
    const { problems } = compileFilter(
      definition({ failregex: ["ok <HOST>", "none"], ignoreregex: ["("], datepattern: "%Q" }),
    );
    expect(problems.map(({ list, index }) => `${list} ${index}`)).toEqual([
      "failregex 1",
      "ignoreregex 0",
      "datepattern 0",
    ]);
  });

  it("refuses a filter without patterns", () => {
    expect(facts({})).toEqual(["is empty: the filter would never match"]);
  });

  it("only warns about an undefined lower-case word in angle brackets", () => {
    expect(facts("user=<unknown> <HOST>")).toEqual([
      "<unknown> is not defined and is taken as text (write \\<unknown> to say so)",
    ]);
    expect(hostIn("user=<unknown> <HOST>", "user=<unknown> 192.0.2.7")).toBe("192.0.2.7");
    expect(facts("user=\\<unknown> <HOST>")).toEqual([]);
  });

  it("expands the filter's own tags, and refuses one that contains itself", () => {
    expect(
      hostIn({ define: { who: "a|b", all: "<who> from <HOST>" }, failregex: ["<all>$"] }, "b from 192.0.2.7"),
    ).toBe("192.0.2.7");
    expect(facts({ define: { a: "<b>", b: "<a>" }, failregex: ["<a> <HOST>"] })).toContain(
      "tag <a> refers to itself",
    );
  });
});

describe("the cost class of a pattern", () => {
  it("is linear for every built-in tag", () => {
    const tags = ["HOST", "ADDR", "IP4", "IP6", "DNS", "SUBNET"].map((tag) => `^x.* <${tag}>$`);
    const filter = filterOf({
      daemon: "sshd",
      failregex: [...tags, "<SYSLOG>(?i)x <HOST>", "(?i:x) <HOST>"],
    });
    expect(filter.patterns.map((pattern) => pattern.cost)).toEqual(filter.patterns.map(() => "linear"));
  });

  it.each([
    ["(?!x)from <HOST>", "automaton"],
    ["(?!x)(?:a+ ?)+from <HOST>", "automaton"],
    ["(?<=[ab])from \\S{1,200} <HOST>", "automaton"],
    // The linear engine of V8 12 (Node 22) looks back, that of Node 20 does not.
    ["(?<!ab)from <HOST>", isLinear("(?<!ab)x") ? "linear" : "steps"],
    ["(?:from [a-f]{1,200}){1,200} <HOST>", "steps"],
  ])("of %s is %s", (pattern, cost) => {
    expect(filterOf(pattern).patterns[0]?.cost).toBe(cost);
  });

  it.each(["(?=a)^(?:a+ ?)+ from <HOST>$", "(?=.)^.*.*.*.*.*.* from <HOST>$"])(
    "does not let %s run endlessly",
    (pattern) => {
      const filter = filterOf(pattern);
      expect(hostIn(pattern, "aaa from 192.0.2.7")).toBe("192.0.2.7");
      expect(explainLine(filter, `${"a".repeat(2000)}!`, context)).toEqual({ kind: "missed" });
    },
  );
});
