import { describe, expect, it } from "vitest";
import { LIMITS } from "../../core/limits.ts";
import { type CompiledFilter, compileFilter } from "../filter/filter.ts";
import { createMatcher, type Matcher } from "../matcher.ts";
import { fixedZone } from "../time/time-zone.ts";

function filterOf(...failregex: string[]): CompiledFilter {
  const { filter } = compileFilter({ name: "slow", failregex, ignoreregex: [], goodregex: [] });
  if (filter === null) throw new Error("it does not compile");
  return filter;
}

function hostsOf(matcher: Matcher, lines: readonly string[]): string[] {
  const found: string[] = [];
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""), "latin1");
  matcher.scan(
    { bytes, start: 0, end: bytes.length, backlog: false },
    { now: 0, zone: fixedZone(0) },
    (failure) => found.push(failure.host),
  );
  return found;
}

describe("a pattern that would never end", () => {
  it("gets an exact answer where the automaton has one", () => {
    const matcher = createMatcher([filterOf("(?!x)failure (a+)+b from <HOST>")]);
    const lines = [
      `failure ${"a".repeat(8000)}c from 192.0.2.1`,
      `failure ${"a".repeat(8000)}b from 192.0.2.2`,
    ];
    expect(hostsOf(matcher, lines)).toEqual(["192.0.2.2"]);
    expect(matcher.stats.givenUp).toBe(0);
  });

  it("gets an exact answer in steps where it has none", () => {
    const matcher = createMatcher([
      filterOf("failure (a+)+b(?<!ab) from <HOST>", "failure (a+)+b(?<=ab) from <HOST>"),
    ]);
    const lines = [
      `failure ${"a".repeat(200)}c from 192.0.2.1`,
      `failure ${"a".repeat(2000)}b from 192.0.2.2`,
    ];
    expect(hostsOf(matcher, lines)).toEqual(["192.0.2.2"]);
    expect(matcher.stats.givenUp).toBe(0);
  });

  it("is stopped at the same step every time: no match, and counted", () => {
    const slow = `failure ${"a".repeat(60)}b from 192.0.2.1`;
    const works = [1, 2].map(() => {
      const matcher = createMatcher([
        filterOf("(?<=re )(?=(?:a|a)*c)a+b from <HOST>", "failure .* from <HOST>"),
      ]);
      expect(hostsOf(matcher, [slow, "failure b from 192.0.2.2"])).toEqual(["192.0.2.1", "192.0.2.2"]);
      return matcher.stats.work;
    });
    expect(works[0]).toBe(works[1]);
  });
});

it("every pattern that looks back is tried on a line, whatever another one took", () => {
  const patterns = ["one", "two", "three", "four"].map(
    (word) => `(?<!not )${word} (?:a+)+b(?<!xb) from <HOST>`,
  );
  const matcher = createMatcher(patterns.map((pattern) => filterOf(pattern)));
  const line = ["one", "two", "three", "four"].map((word) => `${word} aaab from 192.0.2.1`).join(" ");
  expect(hostsOf(matcher, [line])).toHaveLength(4);
});

it("the work for a line is bounded, whatever the patterns [limit: lineWork]", () => {
  // Each needs a state for every sequence of a and b in the last twenty letters, and every letter makes a new sequence.
  const patterns = Array.from(
    { length: 40 },
    (_, i) => String.raw`(?=f)failure .*b[^!]{${17 + i}}c[^!]{20}b.* from <HOST>`,
  );
  const matcher = createMatcher([filterOf(...patterns, "(?=f)failure [ab]+ from <HOST>")]);
  const line = `failure ${coinTosses(8000)} from 192.0.2.1`;
  for (let i = 0; i < 5; i++) {
    const { work } = matcher.stats;
    hostsOf(matcher, [line]);
    expect(matcher.stats.work - work).toBeLessThan(LIMITS.lineWork.value * 1.02);
  }
  expect(matcher.stats.givenUp).toBeGreaterThan(100);
});

it("a pattern that V8 runs slowly on short lines goes to the automaton, with the same answers", () => {
  const matcher = createMatcher([filterOf(String.raw`^app: (?:\w* ?)*(?:\S*\s*)*: refused <HOST>$`)]);
  const slow = `app: ${"a b ".repeat(55)}: refused !`;
  for (let i = 0; i < 50; i++) {
    const lines = Array.from({ length: 50 }, () => slow);
    expect(hostsOf(matcher, [...lines, "app: a b: refused 192.0.2.7"])).toEqual(["192.0.2.7"]);
  }
  expect(matcher.stats.work).toBeGreaterThan(0);
});

function coinTosses(count: number): string {
  let seed = 1;
  return Array.from({ length: count }, () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed >>> 31 === 0 ? "a" : "b";
  }).join("");
}
