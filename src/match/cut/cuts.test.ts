import { describe, expect, it } from "vitest";
import { LIMITS } from "../../core/limits.ts";
import { type FilterDefinition, compileFilter } from "../filter/filter.ts";
import { createMatcher } from "../matcher.ts";
import { fixedZone } from "../time/time-zone.ts";
import { type Cuts, cutsAt } from "./cuts.ts";

const HEAD = "Nov 20 14:44:48 box app[1]: ";

describe("a line is taken for a cut one", () => {
  const dated = (length: number): string => HEAD.padEnd(length, "x");

  it.each([
    ["at the source's own bound", "x".repeat(500), cutsAt(500)],
    ["over it", "x".repeat(501), cutsAt(500)],
    ["where rsyslogd cuts, in every format of its", dated(8091), cutsAt()],
    ["where rsyslogd cuts, with the host's name and a longer date", dated(8192), cutsAt()],
    ["where journald cuts", dated(49_152 + 40), cutsAt()],
    ["where a writer cuts that the configuration names", dated(1020), cutsAt(undefined, [1024])],
    ["where nginx cuts its error log", "2026/11/20 14:44:48 [error] ".padEnd(2047, "x"), cutsAt()],
    ["where httpd cuts its error log", "[Fri Nov 20 14:44:48.1 2026] ".padEnd(8191, "x"), cutsAt()],
  ])("%s", (_, line, cuts) => {
    expect(line.length >= cuts.least && cuts.isCut(line, line.length)).toBe(true);
  });

  it.each([
    ["below every limit", dated(8000), cutsAt()],
    ["between two limits", dated(9000), cutsAt()],
    [
      "without a date, as in access logs, below the source's own bound",
      "192.0.2.1 - - [".padEnd(8192, "x"),
      cutsAt(),
    ],
    ["where the configuration says that lines come whole", dated(8192), cutsAt(undefined, [])],
  ])("not %s", (_, line, cuts) => {
    expect(line.length >= cuts.least && cuts.isCut(line, line.length)).toBe(false);
  });
});

const MAX = 300;

/** Hosts found in the first MAX bytes of a line, and their kinds. */
function found(definition: Partial<FilterDefinition>, line: string, cuts: Cuts = cutsAt(MAX)): string[] {
  const { filter, problems } = compileFilter({
    name: "test",
    failregex: [],
    ignoreregex: [],
    goodregex: [],
    ...definition,
  });
  if (filter === null) throw new Error(problems.map(({ fact }) => fact).join("; "));
  const answers = (["fast", "naive"] as const).map((engine) => {
    const hosts: string[] = [];
    const bytes = Buffer.from(`${line.slice(0, MAX)}\n`, "latin1");
    createMatcher([filter], { engine }).scan(
      { bytes, start: 0, end: bytes.length, backlog: false },
      { now: 0, zone: fixedZone(0), cuts },
      ({ host, kind, count }) => hosts.push(`${kind} ${host}${count > 1 ? ` ${count}` : ""}`),
    );
    return hosts;
  });
  expect(answers[0]).toEqual(answers[1]);
  return answers[0]!;
}

const failure = (...failregex: string[]) => ({ failregex });
const LONG = "x".repeat(MAX);

describe("in a cut line", () => {
  it.each([
    [
      "$ after the host",
      "^failure of .* from <HOST>$",
      `${"failure of ".padEnd(MAX - 15, "x")} from 192.0.2.1`,
    ],
    ["\\Z", "failure from <HOST>\\Z", "failure from 192.0.2.1".padStart(MAX)],
    ["a blank before $", "failure from <HOST>\\s*$", "failure from 192.0.2.1 ".padStart(MAX)],
    ["\\b at the cut", "failure from <IP4> port \\d+\\b", "failure from 192.0.2.1 port 22".padStart(MAX)],
    [
      "a negative look-ahead at the cut",
      "failure from <IP4> as (?!admin)",
      "failure from 192.0.2.1 as ".padStart(MAX),
    ],
    ["a host whose end is not there", "failure from <HOST>", "failure from 192.0.2.1".padStart(MAX)],
    [
      "a host whose end is not there, by its digits",
      "failure from <IP4>",
      "failure from 192.0.2.111".padStart(MAX),
    ],
    [
      "a host that another one may follow",
      "^failure of .* from <HOST> ",
      `failure of x from 192.0.2.1 ${LONG}`,
    ],
    [
      "what is required behind the cut",
      "^failure from <HOST> .* twice",
      `failure from 192.0.2.1 ${LONG} twice`,
    ],
  ])("%s does not match", (_, pattern, line) => {
    expect(found(failure(pattern), line)).toEqual([]);
    // The same text, known to be whole, does.
    if (line.length === MAX) expect(found(failure(pattern), line, cutsAt(10_000, []))).toHaveLength(1);
  });

  it.each([
    ["what ends before the cut", "^failure from <HOST> port \\d+ ", `failure from 192.0.2.1 port 22 ${LONG}`],
    [
      "a greedy text behind the host",
      '^<HOST> .* "GET /[^"]*" 404',
      `192.0.2.1 x "GET /${"y".repeat(200)}" 404 ${LONG}`,
    ],
    [
      "a final .*$, which says nothing about the end",
      "^failure from <HOST> .*$",
      `failure from 192.0.2.1 ${LONG}`,
    ],
    [
      "an earlier pattern's failure notwithstanding",
      "^failure from <HOST>$|^failure from <IP4> ",
      `failure from 192.0.2.1 ${LONG}`,
    ],
  ])("%s matches", (_, pattern, line) => {
    expect(found(failure(pattern), line)).toEqual(["failure 192.0.2.1"]);
  });

  it("a prefregex passes on what it knows of the content", () => {
    const prefregex = "^app: <F-CONTENT>.+</F-CONTENT>$";
    const line = `app: failure from 192.0.2.1 port 22 ${LONG}`;
    expect(found({ prefregex, failregex: ["^failure from <HOST> port"] }, line)).toEqual([
      "failure 192.0.2.1",
    ]);
    expect(found({ prefregex, failregex: ["^failure from <HOST> port \\d+ x+$"] }, line)).toEqual([]);
    // Content that ends before the cut is whole, whatever an attacker repeats behind it.
    const closed = {
      prefregex: '^app: "<F-CONTENT>[^"]*</F-CONTENT>"',
      failregex: ["^failure from <HOST>$"],
    };
    const text = 'app: "failure from 192.0.2.1" ';
    expect(found(closed, `${text.padEnd(MAX - 22)}failure from 192.0.2.1`)).toEqual(["failure 192.0.2.1"]);
  });

  it("a good pattern and an ignoreregex need the same", () => {
    const goodregex = ["^welcome <HOST>$", "^hello <HOST> "];
    expect(found({ goodregex }, `hello 192.0.2.1 ${LONG}`)).toEqual(["good 192.0.2.1"]);
    expect(found({ goodregex }, `welcome 192.0.2.1 ${LONG}`)).toEqual([]);
    const definition = { failregex: ["^failure from <HOST> "], ignoreregex: ["x$", "harmless"] };
    expect(found(definition, `failure from 192.0.2.1 ${LONG}`)).toEqual(["failure 192.0.2.1"]);
    expect(found(definition, `failure from 192.0.2.1 harmless ${LONG}`)).toEqual([]);
  });

  it("a repeated message is read without its closing bracket", () => {
    const line = `${HEAD}message repeated 4 times: [ failure from 192.0.2.1 ${LONG}]`;
    expect(found({ daemon: "app", failregex: ["^<SYSLOG>failure from <HOST> "] }, line)).toEqual([
      "failure 192.0.2.1 4",
    ]);
  });

  it("a first piece of Docker's counts as the beginning of a line", () => {
    const inDocker = (text: string): string =>
      `{"log":${JSON.stringify(text)},"stream":"stderr","time":"2026-11-20T14:44:48.123456789Z"}`;
    const patterns = failure("^failure from <HOST> ", "^failure from <HOST>$");
    const cuts = cutsAt(MAX, []);
    expect(found(patterns, inDocker("failure from 192.0.2.1 xxx"), cuts)).toEqual(["failure 192.0.2.1"]);
    expect(found(patterns, inDocker("failure from 192.0.2.1"), cuts)).toEqual([]);
    expect(found(patterns, inDocker("failure from 192.0.2.1\n"), cuts)).toEqual(["failure 192.0.2.1"]);
  });

  it("colours that are taken out do not make a cut line whole", () => {
    const line = `${"\u001b[1m".repeat(70)}failure from 192.0.2.1`;
    expect(found(failure("failure from <HOST>$"), line, cutsAt(MAX, []))).toEqual([]);
    expect(
      found(failure("failure from <HOST>$"), line.padStart(MAX, "\u001b[1m"), cutsAt(MAX + 1, [])),
    ).toEqual([]);
    expect(found(failure("failure from <HOST>$"), line.slice(60), cutsAt(MAX + 2, []))).toEqual([
      "failure 192.0.2.1",
    ]);
  });

  it("a look-behind works", () => {
    const pattern = "(?<!not )failure (?<=re )from <HOST> ";
    expect(found(failure(pattern), `failure from 192.0.2.1 ${LONG}`)).toEqual(["failure 192.0.2.1"]);
    expect(found(failure(pattern), `not failure from 192.0.2.1 ${LONG}`)).toEqual([]);
  });
});

it("a line of the longest default length costs a bounded number of steps, and counts", () => {
  const { filter } = compileFilter({
    name: "test",
    failregex: Array.from({ length: 12 }, (_, i) => `^<HOST> (?:[^"]|\\\\.)* "word${i}`),
    ignoreregex: [],
    goodregex: [],
  });
  const length = LIMITS.lineBytes.value - 100;
  const line =
    `192.0.2.1 ${Array.from({ length: 11 }, (_, i) => `word${i} `).join("")}`.padEnd(length, "\\x22") +
    ' "word11';
  const bytes = Buffer.from(`${line}\n`);
  const matcher = createMatcher([filter!]);
  const hosts: string[] = [];
  matcher.scan(
    { bytes, start: 0, end: bytes.length, backlog: false },
    { now: 0, zone: fixedZone(0), cuts: cutsAt() },
    ({ host }) => hosts.push(host),
  );
  expect(hosts).toEqual(["192.0.2.1"]);
  expect(matcher.stats.givenUp).toBe(0);
  expect(matcher.stats.work).toBeLessThan(LIMITS.lineWork.value + 32 * line.length);
});
