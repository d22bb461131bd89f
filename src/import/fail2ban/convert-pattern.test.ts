import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileFilter } from "../../match/filter/filter.ts";
import { explainLine } from "../../match/explain.ts";
import { parseTimeZone } from "../../match/time/time-zone.ts";
import { convertPattern, UNDATED } from "./convert-pattern.ts";
import { ANY_DATE, dateShape } from "./date-shape.ts";

const NOW = Date.parse("2026-11-20T15:00:00Z");

/** Whether a converted pattern finds a failure in a line. */
function finds(pattern: string, line: string, datepattern: string | null = null): boolean {
  const { cut, where } = dateShape(datepattern);
  const tag = cut === ANY_DATE ? "DATE" : "date";
  const dates = cut === null ? UNDATED : { where, tag };
  const { filter, problems } = compileFilter({
    name: "x",
    failregex: [convertPattern(pattern, dates)],
    ignoreregex: [],
    goodregex: [],
    ...(cut === null || cut === ANY_DATE ? {} : { define: { date: cut } }),
  });
  if (filter === null) throw new Error(JSON.stringify(problems));
  const zone = parseTimeZone("UTC");
  if (zone === null) throw new Error("no UTC");
  return explainLine(filter, line, { now: NOW, zone }).kind === "failure";
}

describe("a converted pattern", () => {
  it.each([
    "2026-11-20 14:44:48",
    "2026-11-20T14:44:48.123456+01:00",
    "2026/11/20 14:44:48,123",
    "20261120 144448",
    "Nov 20 14:44:48",
    "Fri Nov 20 14:44:48.123 2026",
    "CET Nov 20 14:44:48",
    "20/Nov/2026:14:44:48 +0100",
    "20-11-2026 14:44:48",
    "11/20/2026:14:44:48",
    "261120 14:44:48",
    "Nov 20, 2026 2:44:48 PM",
    "1795185888.123",
    "14:44:48",
  ])("matches behind the date %s, with brackets around it and within the line", (date) => {
    expect(finds(String.raw`^ door: no key for <HOST>$`, `${date} door: no key for 192.0.2.1`)).toBe(true);
    expect(finds(String.raw`^\[\] door: no key for <HOST>$`, `[${date}] door: no key for 192.0.2.1`)).toBe(
      true,
    );
    expect(finds(String.raw`^<HOST> - \[\] "door"$`, `192.0.2.1 - [${date}] "door"`)).toBe(true);
    const anchored = "{^LN-BEG}";
    expect(finds("^door: no key for <HOST>$", `${date} door: no key for 192.0.2.1`, anchored)).toBe(false);
  });

  it("takes the date of its own datepattern", () => {
    const pattern = String.raw`^ no key for <HOST>$`;
    expect(finds(pattern, "d20.11.26 14h44 no key for 192.0.2.1", "^d%d.%m.%y %Hh%M")).toBe(true);
    expect(finds(pattern, "d20.11.26 14h44 no key for 192.0.2.1")).toBe(false);
    expect(finds("^no key for <HOST>$", "no key for 192.0.2.1", "{NONE}")).toBe(true);
  });

  it("allows a date in the middle where the datepattern removes one", () => {
    const line = "door 20.11.26 14h44 no key for 192.0.2.1";
    expect(finds(String.raw`^door\s+no key for <HOST>$`, line, "^door (%d.%m.%y %Hh%M)")).toBe(true);
  });

  it("may end with the line feed that fail2ban adds", () => {
    expect(finds(String.raw`no key for <HOST>\s`, "no key for 192.0.2.1")).toBe(true);
    expect(finds(String.raw`no key for <HOST>\s+`, "no key for 192.0.2.1")).toBe(true);
    expect(finds(String.raw`no key for <HOST>\\s`, "no key for 192.0.2.1")).toBe(false);
  });

  it("escapes tags that fail2ban does not have", () => {
    expect(
      finds("^<SYSLOG>: <door> <W> no key for <HOST>$", "<SYSLOG>: <door> <W> no key for 192.0.2.1"),
    ).toBe(true);
  });

  it("changes nothing in classes and escapes", () => {
    const text = String.raw`[^<HOST>\s] \^ \\\[ (?P<host>\S+) [\]^] \[[]x] <F-USER>.*</F-USER>`;
    expect(convertPattern(text, { where: "begin", tag: "DATE" })).toBe(text);
  });

  it("accepts any text of any length", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(convertPattern(text, UNDATED).length).toBeGreaterThanOrEqual(
          text.replaceAll("\\n", "").length,
        );
        dateShape(text);
      }),
    );
    const longest = "\\s[^".repeat(4096);
    expect(convertPattern(longest, { where: "within", tag: "DATE" }).length).toBeGreaterThan(longest.length);
  });
});
