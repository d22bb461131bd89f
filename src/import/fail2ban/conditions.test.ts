import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withoutConditions } from "./conditions.ts";

describe("withoutConditions()", () => {
  it.each([
    ["^(?P<a>x)?b(?(a)c|d)$", "^(?P<a>x)b(?:c)$|^b(?:d)$"],
    ["(?P<a>x)?(?(a)y)", "(?P<a>x)(?:y)|(?:)"],
    [
      "<F-USER>(?P<u>\\S+)|[^:]+</F-USER>(?(u): |$)",
      "<F-USER>(?P<u>\\S+)</F-USER>(?:: )|<F-USER>[^:]+</F-USER>(?:$)",
    ],
    ["(?:(?P<a>x)|y)*z(?(a)1|2)", "(?:(?P<a>x))+z(?:1)|(?:y)*z(?:2)"],
    ["(?P<a>x)(?(a)1|2)", "(?P<a>x)(?:1)"],
    ["(?(nowhere)1|2)", "(?(nowhere)1|2)"],
    ["a[(?(]b", "a[(?(]b"],
    ["((?(a)x", "((?(a)x"],
  ])("%s is %s", (pattern, expected) => {
    expect(withoutConditions(pattern)).toBe(expected);
  });

  it("decides conditions on each other", () => {
    const text = withoutConditions("(?P<a>x)?(?P<b>(?(a)y|z))?(?(b)1|2)");
    expect(text.split("|")).toEqual([
      "(?P<a>x)(?P<b>(?:y))(?:1)",
      "(?P<a>x)(?:2)",
      "(?P<b>(?:z))(?:1)",
      "(?:2)",
    ]);
  });

  it("returns for any text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(..."(?P<a>)|[\\x*".split("")) }),
        (text) => void withoutConditions(`${text}(?(a)x|y)`),
      ),
    );
  });
});
