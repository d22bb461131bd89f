import { describe, expect, it } from "vitest";
import { LIMITS } from "../../core/limits.ts";
import { createMatcher } from "../matcher.ts";
import { fixedZone } from "../time/time-zone.ts";
import { compileFilter } from "./filter.ts";

function hostsOf(pattern: string, lines: readonly string[], engine: "naive" | "fast" = "fast") {
  const { filter, problems } = compileFilter({
    name: "x",
    failregex: [pattern],
    ignoreregex: [],
    goodregex: [],
  });
  if (filter === null) throw new Error(problems.map(({ fact }) => fact).join("; "));
  const matcher = createMatcher([filter], { engine });
  const found: string[] = [];
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""), "latin1");
  const context = { now: 0, zone: fixedZone(0) };
  matcher.scan({ bytes, start: 0, end: bytes.length, backlog: false }, context, ({ host }) =>
    found.push(host),
  );
  return { found, stats: matcher.stats };
}

describe.each(["naive", "fast"] as const)("back-references and conditions, by the %s engine", (engine) => {
  const hosts = (pattern: string, ...lines: readonly string[]): readonly string[] =>
    hostsOf(pattern, lines, engine).found;

  it.each([
    String.raw`^user (?P<u>\S+): no such (?P=u), from <HOST>$`,
    String.raw`^user (?<u>\S+): no such \k<u>, from <HOST>$`,
    String.raw`^user <F-USER>\S+</F-USER>: no such (?P=user), from <HOST>$`,
  ])("a back-reference matches the text of its group: %s", (pattern) => {
    const lines = ["user root: no such root, from 192.0.2.1", "user root: no such admin, from 192.0.2.2"];
    expect(hosts(pattern, ...lines)).toEqual(["192.0.2.1"]);
  });

  it("a back-reference goes back to shorter texts", () => {
    expect(hosts("^(?P<a>\\w+)(?P=a)! <HOST>$", "abab! 192.0.2.1", "aba! 192.0.2.2")).toEqual(["192.0.2.1"]);
  });

  it("a back-reference to a group that took no part does not match, and one to an empty group does", () => {
    const lines = ["x: 192.0.2.1", "'x': 192.0.2.2", "'x: 192.0.2.3"];
    expect(hosts("^(?P<q>')?x(?P=q): <HOST>$", ...lines)).toEqual(["192.0.2.2"]);
    expect(hosts("^(?P<q>'?)x(?P=q): <HOST>$", ...lines)).toEqual(["192.0.2.1", "192.0.2.2"]);
  });

  it("with (?i), a back-reference takes either case of a letter", () => {
    const lines = ["Root root 192.0.2.1"];
    expect(hosts("(?i)^(?P<a>\\w+) (?P=a) <HOST>$", ...lines)).toEqual(["192.0.2.1"]);
    expect(hosts("^(?P<a>\\w+) (?P=a) <HOST>$", ...lines)).toEqual([]);
  });

  it("a condition asks whether its group took part", () => {
    const pattern = "^(?P<q>')?x(?(q)'|;): <HOST>$";
    const lines = ["'x': 192.0.2.1", "x;: 192.0.2.2", "'x;: 192.0.2.3", "x': 192.0.2.4"];
    expect(hosts(pattern, ...lines)).toEqual(["192.0.2.1", "192.0.2.2"]);
    expect(hosts("^(?P<q>')?x(?(q)'): <HOST>$", ...lines, "x: 192.0.2.5")).toEqual([
      "192.0.2.1",
      "192.0.2.5",
    ]);
  });
});

it("the time of a back-reference is bounded, and what was given up is counted", () => {
  const line = `${"a".repeat(4000)}! 192.0.2.1`;
  const { found, stats } = hostsOf(
    "^(?:(?P<a>a+)(?P=a)+)+b <HOST>$|^(?P<c>.*)(.*)(?P=c)+(.*)(?P=c)+; <HOST>$",
    [line, `aaaab 192.0.2.2`],
  );
  expect(found).toEqual(["192.0.2.2"]);
  expect(stats.work).toBeLessThan(LIMITS.lineWork.value * 2.1);
});
