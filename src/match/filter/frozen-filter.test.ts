import { deserialize, serialize } from "node:v8";
import { describe, expect, it } from "vitest";
import type { LineMatch } from "../../core/line-match.ts";
import { type CompiledFilter, compileFilter, type FilterDefinition } from "./filter.ts";
import { type FrozenFilter, freezeFilter, thawFilter } from "./frozen-filter.ts";
import { createMatcher } from "../matcher.ts";
import { fixedZone } from "../time/time-zone.ts";

const DEFINITION: FilterDefinition = {
  name: "test",
  failregex: [
    "^\\S+ fail(?:ed|ure)? of <F-USER>\\S+</F-USER> from <HOST>$",
    "^\\S+ odd [Ll]ogin from <ADDR>$",
  ],
  goodregex: ["^\\S+ welcome from <HOST>$"],
  ignoreregex: ["from 192\\.0\\.2\\.9"],
  datepattern: "^Epoch",
};

const LINES = [
  "1763649888 fail of root from 192.0.2.1",
  "1763649889 odd Login from 2001:db8::1",
  "1763649890 welcome from 192.0.2.1",
  "1763649891 failed of root from 192.0.2.9",
  "nothing of interest",
];

function failures(filter: CompiledFilter): LineMatch[] {
  const seen: LineMatch[] = [];
  const bytes = Buffer.from(LINES.map((line) => `${line}\n`).join(""));
  const matcher = createMatcher([filter]);
  matcher.scan(
    { bytes, start: 0, end: bytes.length, backlog: false },
    { now: Date.now(), zone: fixedZone(0) },
    (s) => seen.push(s),
  );
  return seen;
}

describe("a frozen filter", () => {
  it("matches the same after it was serialised", async () => {
    const { filter } = compileFilter(DEFINITION);
    if (filter === null) throw new Error("the test's filter is wrong");
    const bytes = serialize(freezeFilter(filter, DEFINITION.datepattern));
    const thawed = await thawFilter(deserialize(bytes) as FrozenFilter);
    expect(failures(thawed)).toEqual(failures(filter));
    expect(failures(thawed).map((s) => [s.kind, s.host, s.at])).toEqual([
      ["failure", "192.0.2.1", 1_763_649_888_000],
      ["failure", "2001:db8::1", 1_763_649_889_000],
      ["good", "192.0.2.1", 1_763_649_890_000],
    ]);
  });
});
