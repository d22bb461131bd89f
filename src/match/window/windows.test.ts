import { describe, expect, it } from "vitest";
import { LIMITS } from "../../core/limits.ts";
import { formatInstant } from "../../core/time.ts";
import { explainLine } from "../explain.ts";
import { type CompiledFilter, compileFilter, type FilterDefinition } from "../filter/filter.ts";
import { createMatcher, type Matcher } from "../matcher.ts";
import { fixedZone } from "../time/time-zone.ts";

const context = { now: Date.UTC(2026, 10, 20, 15), zone: fixedZone(0) };

function filterOf(parts: Partial<FilterDefinition>): CompiledFilter {
  const empty = { name: "door", failregex: [], ignoreregex: [], goodregex: [] };
  const { filter, problems } = compileFilter({ ...empty, ...parts });
  if (filter === null) throw new Error(problems.map(({ fact }) => fact).join("; "));
  return filter;
}

const DOOR: Partial<FilterDefinition> = {
  maxlines: 4,
  failregex: ["^(?P<door>door \\d) opened for <HOST>$<SKIPLINES>^(?P=door): wrong key$"],
};

describe.each(["naive", "fast"] as const)("several lines, by the %s engine", (engine) => {
  function hosts(matcher: Matcher, batches: readonly (readonly string[])[], log?: object): string[] {
    const found: string[] = [];
    for (const lines of batches) {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""), "latin1");
      const batch = { bytes, start: 0, end: bytes.length, backlog: false, ...(log && { log }) };
      matcher.scan(batch, context, ({ host, line }) => found.push(`${host}: ${line}`));
    }
    return found;
  }
  const door = (parts: Partial<FilterDefinition> = {}): Matcher =>
    createMatcher([filterOf({ ...DOOR, ...parts })], { engine });
  const OPENED = "door 1 opened for 192.0.2.1";
  const WRONG = "door 1: wrong key";
  const each = (lines: readonly string[]): readonly (readonly string[])[] => lines.map((line) => [line]);

  it.each([
    ["in one batch", (lines: readonly string[]) => [lines]],
    ["in a batch of each", each],
  ])("match together, %s", (_, cut) => {
    const lines = ["x", OPENED, "door 2 opened for 192.0.2.2", WRONG, "y"];
    expect(hosts(door(), cut(lines))).toEqual(["192.0.2.1: door 1: wrong key"]);
    const far = [OPENED, "a", "b", "c", WRONG];
    expect(hosts(door(), cut(far))).toEqual([]);
  });

  it("a match takes its lines, and leaves those that it skipped", () => {
    const twice = [OPENED, WRONG, WRONG];
    expect(hosts(door(), [twice])).toEqual(["192.0.2.1: door 1: wrong key"]);
    const near = [OPENED, "door 2 opened for 192.0.2.2", WRONG, "door 2: wrong key"];
    expect(hosts(door(), [near])).toEqual(["192.0.2.1: door 1: wrong key", "192.0.2.2: door 2: wrong key"]);
  });

  it("of two logs do not match together", () => {
    const matcher = door();
    const [one, other] = [{}, {}];
    hosts(matcher, [[OPENED]], one);
    expect(hosts(matcher, [[WRONG]], other)).toEqual([]);
    expect(hosts(matcher, [[WRONG]], one)).toHaveLength(1);
  });

  it("a pattern of one line matches once", () => {
    const matcher = door({ failregex: ["^refused: <HOST>$", "^a\\nb <HOST>$"] });
    expect(
      hosts(matcher, each(["refused: 192.0.2.1", "x", "refused: 192.0.2.2", "a", "b 192.0.2.3"])),
    ).toEqual(["192.0.2.1: refused: 192.0.2.1", "192.0.2.2: refused: 192.0.2.2", "192.0.2.3: b 192.0.2.3"]);
  });

  it("ignoreregex sees the lines of the match only", () => {
    const ignoreregex = ["for 192\\.0\\.2\\.1$", "skipped"];
    expect(hosts(door({ ignoreregex }), [[OPENED, WRONG]])).toEqual([]);
    const other = "door 1 opened for 192.0.2.7";
    expect(hosts(door({ ignoreregex }), [["skipped", other, WRONG]])).toHaveLength(1);
  });

  it("prefregex sees all of them", () => {
    const matcher = door({
      prefregex: "^head\\n<F-CONTENT>(?:.*\\n)*.*</F-CONTENT>",
      failregex: ["^foot <HOST>$"],
    });
    expect(hosts(matcher, [["foot 192.0.2.1", "head", "x", "foot 192.0.2.2"]])).toEqual([
      "192.0.2.2: foot 192.0.2.2",
    ]);
  });

  it("the time is that of the last line that has one", () => {
    const matcher = door({ failregex: ["^<DATE> refused$\\n^by <HOST>$"] });
    const times: (string | null)[] = [];
    const bytes = Buffer.from("2026-11-20T14:44:48Z refused\nby 192.0.2.1\n");
    matcher.scan({ bytes, start: 0, end: bytes.length, backlog: false }, context, ({ at }) =>
      times.push(at === null ? null : formatInstant(at)),
    );
    expect(times).toEqual(["2026-11-20T14:44:48.000Z"]);
  });

  it("a pattern without a text of its own is tried after every line", () => {
    expect(hosts(door({ failregex: ["^<HOST>$\\n^\\d$"] }), each(["192.0.2.1", "7"]))).toEqual([
      "192.0.2.1: 7",
    ]);
  });

  it("a line that is too long is an empty one, and counted [limit: windowLine]", () => {
    const matcher = door();
    const long = `${OPENED}${" ".repeat(LIMITS.windowLine.value)}`;
    expect(hosts(matcher, [[long, WRONG]])).toEqual([]);
    expect(matcher.stats.cutLines).toBe(1);
  });
});

it("stoplog test joins the lines that it reads", () => {
  const filter = filterOf(DOOR);
  const kinds = ["door 1 opened for 192.0.2.1", "x", "door 1: wrong key"].map(
    (line) => explainLine(filter, line, context).kind,
  );
  expect(kinds).toEqual(["missed", "missed", "failure"]);
});

it("<SKIPLINES> needs maxlines", () => {
  const { problems } = compileFilter({
    ...DOOR,
    name: "x",
    ignoreregex: [],
    goodregex: [],
    maxlines: 1,
  } as FilterDefinition);
  expect(problems.map(({ fact }) => fact)).toContain(
    "<SKIPLINES> needs maxlines: how many lines the filter looks at",
  );
});
