import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatAddress, parseAddress } from "../../src/core/address.ts";
import { formatInstant } from "../../src/core/time.ts";
import { explainLine } from "../../src/match/explain.ts";
import type { CompiledFilter } from "../../src/match/filter/filter.ts";
import { failuresIn, fault, FOUND, isHost, OTHER_HOST } from "./fail2ban-lines.ts";
import { hitHost } from "./forging.ts";
import { CONTEXT, type LibraryFilter, readLibrary } from "./library.ts";
import type { Expectation, Sample } from "./samples.ts";
import { titled } from "../support/namespace.ts";
import { coloured, inDocker } from "../support/wrapped-line.ts";

const library = readLibrary();

describe.each(library)("the filter $name", ({ text, reading, filter, samples }) => {
  it("compiles without errors or remarks", () => {
    expect(reading.errors).toEqual([]);
    expect(reading.notes).toEqual([]);
  });

  it("says in its first line what it is for", () => {
    expect(text).toMatch(/^# [A-Z].{30}/i);
  });

  it("runs in linear time", () => {
    const tests = [...(filter?.patterns ?? []), ...(filter?.ignore ?? [])];
    expect(tests.filter((test) => test.cost !== "linear").map((test) => test.source)).toEqual([]);
  });

  it("anchors every pattern at the start of the line", () => {
    const { failregex, goodregex, ignoreregex } = reading.definition;
    expect(
      [...failregex, ...goodregex, ...ignoreregex].filter((pattern) => !pattern.startsWith("^")),
    ).toEqual([]);
  });

  it("gives for every sample the result above it", () => {
    const found = samples.map((sample) => [sample.number, sample.line, outcome(filter, sample)]);
    expect(found).toEqual(samples.map((sample) => [sample.number, sample.line, sample.expected]));
  });

  it.each([
    ["colours", coloured],
    ["Docker's JSON", inDocker],
    ["colours in Docker's JSON", (line: string) => inDocker(coloured(line))],
  ])("gives the same for a sample in %s", (_, wrap) => {
    const found = samples.map((sample) => outcome(filter, { ...sample, line: wrap(sample.line) }));
    expect(found).toEqual(samples.map(({ expected }) => expected));
  });

  it("has a sample for every pattern", () => {
    const { failregex, goodregex, ignoreregex } = reading.definition;
    const hit = new Set(samples.map((sample) => hitBy(filter, sample)));
    const wanted = [
      ...failregex.map((_, i) => `failregex ${i + 1}`),
      ...goodregex.map((_, i) => `goodregex ${i + 1}`),
      ...(ignoreregex.length > 0 ? ["ignoreregex"] : []),
    ];
    expect(wanted.filter((pattern) => !hit.has(pattern))).toEqual([]);
  });

  it("has at least three near misses", () => {
    expect(samples.filter((sample) => sample.expected.kind === "none").length).toBeGreaterThanOrEqual(3);
  });

  it("uses documentation addresses only", () => {
    const addresses = samples.flatMap(({ expected }) => (expected.kind === "none" ? [] : [expected.host]));
    expect(
      addresses.filter((address) => !/^(?:192\.0\.2|198\.51\.100|203\.0\.113)\.|^2001:db8:/.test(address)),
    ).toEqual([]);
  });
});

describe("the guide", () => {
  it("names exactly the filters of the library", () => {
    const guide = readFileSync(new URL("../../docs/guide/filters.md", import.meta.url), "utf8");
    const rows = [...guide.matchAll(/^\| [^|]* \| (`[^|]*) \|/gm)].map(([, names = ""]) => names);
    const named = rows.flatMap((names) => names.split(", ").map((name) => name.replaceAll("`", "")));
    expect(named.toSorted()).toEqual(library.map(({ name }) => name).toSorted());
  });
});

describe("a filter that extends another", () => {
  const sterner = library.filter(({ name }) => name.endsWith("-aggressive"));

  it.each(sterner)("$name contains everything of its plain filter", ({ name, reading }) => {
    const plain = definitionOf(name.replace(/-aggressive$/, ""));
    const { failregex, ...rest } = reading.definition;
    expect(failregex.slice(0, plain.failregex.length)).toEqual(plain.failregex);
    expect({ ...rest, name: plain.name, failregex: plain.failregex }).toEqual(plain);
  });
});

describe.skipIf(fault !== null)(titled("the lines of fail2ban's own tests", fault), () => {
  it.each(FOUND)("in %s: %j find no other host, and %d failures", (file, filters, least) => {
    const found = failuresIn(file).flatMap(({ line, host }) => {
      const hit = firstHit(filters, line);
      return hit === null ? [] : [{ line, host, hit }];
    });
    expect(found.filter(({ line, host, hit }) => !isHost(hit, host) && !OTHER_HOST.test(line))).toEqual([]);
    expect(found.length).toBeGreaterThanOrEqual(least);
  });
});

function firstHit(filters: readonly string[], line: string): string | null {
  for (const { name, filter } of library) {
    const hit = filters.includes(name) && filter !== null ? hitHost(filter, line) : null;
    if (hit !== null) return hit;
  }
  return null;
}

function definitionOf(name: string): LibraryFilter["reading"]["definition"] {
  const found = library.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`there is no filter ${name}`);
  return found.reading.definition;
}

/** The filter's result for a sample in the samples' notation, limited to the expected keys. */
function outcome(filter: CompiledFilter | null, { line, expected }: Sample): Expectation | string {
  if (filter === null) return "the filter does not compile";
  const explanation = explainLine(filter, line, CONTEXT);
  if (!("match" in explanation)) return { kind: "none" };
  const { address, host, count, at, captures } = explanation.match;
  const asked = expected.kind === "none" ? {} : expected.captures;
  const instant = at === null ? "no time" : formatInstant(at)?.replace(".000Z", "Z");
  return {
    kind: explanation.kind === "good" ? "good" : "fail",
    host: address === null ? host : asWritten(formatAddress(address), expected),
    at:
      expected.kind === "none" || expected.at === null ? (at === null ? "no time" : null) : (instant ?? null),
    count,
    captures: Object.fromEntries(Object.keys(asked).map((key) => [key, captures[key] ?? ""])),
  };
}

/** The expectation's spelling of the address when both are the same. */
function asWritten(host: string, expected: Expectation): string {
  if (expected.kind === "none") return host;
  const wanted = parseAddress(expected.host);
  return wanted !== null && formatAddress(wanted) === host ? expected.host : host;
}

function hitBy(filter: CompiledFilter | null, { line }: Sample): string {
  if (filter === null) return "nothing";
  const explanation = explainLine(filter, line, CONTEXT);
  if (explanation.kind === "noted")
    return `${explanation.list === "good" ? "goodregex" : "failregex"} ${explanation.pattern + 1}`;
  if (explanation.kind === "failure") return `failregex ${explanation.pattern + 1}`;
  return explanation.kind === "good"
    ? `goodregex ${explanation.pattern + 1}`
    : `${explanation.kind}regex`.replace("ignored", "ignore");
}
