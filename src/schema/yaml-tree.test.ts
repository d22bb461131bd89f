import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../core/limits.ts";
import { LONGEST_TEXT } from "./longest-text.ts";
import { follow, parseYaml, plainOf } from "./yaml-tree.ts";

/** The value and the faults, each with its place as `line:column fact`. */
function read(text: string): { value: unknown; faults: string[] } {
  const { tree, faults, place } = parseYaml(text);
  return {
    value: tree === null ? null : plainOf(tree),
    faults: faults.map(({ at, fact }) => `${place(at).line}:${place(at).column} ${fact}`),
  };
}

describe("parseYaml()", () => {
  it("reads YAML 1.2, in which yes is a word", () => {
    expect(read("a: yes\nb: true\nc: [1, 2.5, ~]\n").value).toEqual({ a: "yes", b: true, c: [1, 2.5, null] });
  });

  it("leaves numbers that begin with 0 as they are written", () => {
    expect(read("[0660, 0o660, 0, 0.5, -07, 10]").value).toEqual(["0660", "0o660", 0, 0.5, "-07", 10]);
  });

  it("knows where every value stands, across comments, blank lines and CRLF", () => {
    const { tree, place } = parseYaml("# one\r\n\r\na:\r\n  b: [x, yy]\r\n");
    expect(place(follow(tree!, ["a", "b", 1]).at)).toEqual({ line: 4, column: 10 });
  });

  it("reads an empty text as nothing", () => {
    expect(read("")).toEqual({ value: null, faults: [] });
    expect(read("# only a comment\n")).toEqual({ value: null, faults: [] });
  });

  it("follows aliases to their anchors", () => {
    expect(read("a: &x [1]\nb: *x\n").value).toEqual({ a: [1], b: [1] });
  });

  it.each([
    ["a: 1\nb: 2\na: 3\n", "3:1 duplicate key a"],
    ["[a, b]: 1\n", "1:1 a key must be a single word"],
    ["a: *x\n", "1:4 alias *x has no anchor before it"],
    ["a: &x [*x]\n", "1:8 alias *x has no anchor before it"],
    ["a:\n\t- b\n", "2:1 tabs are not allowed as indentation"],
    ["a: 'x'\nb: \"y\nc: z\n", "2:4 quote is never closed"],
    ["a: b: c\n", "1:4 nested mappings are not allowed in compact mappings"],
    ["a: !odd x\n", '1:4 unresolved tag: !odd; if it is text, quote it: "!odd"'],
    ["a: 1\n---\nb: 2\n", "2:1 more than one YAML document"],
    ["a: 1\nb: \0\n", "2:4 not a text file: it contains the character U+0000"],
    ["a: \u001b[31m\n", "1:4 not a text file: it contains the character U+001B"],
  ])("says of %j: %s", (text, sentence) => {
    expect(read(text).faults).toEqual([sentence]);
  });

  it("tells all faults of the syntax, not only the first", () => {
    expect(read('a: "\\q"\nb: "\\w"\n').faults).toEqual([
      "1:5 invalid escape sequence \\q; write a pattern in single quotes, where a backslash stays one",
      "2:5 invalid escape sequence \\w; write a pattern in single quotes, where a backslash stays one",
    ]);
  });

  it("refuses a YAML bomb at its first alias [limit: configAliases]", () => {
    const laughs = Array.from(
      { length: 30 },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(", ")}]`,
    );
    const { faults } = read(["l0: &l0 [lol, lol]", ...laughs].join("\n"));
    expect(faults).toEqual(["2:10 aliases that expand to too much"]);
    const uses = (count: number): string => `a: &x 1\nb: [${"*x, ".repeat(count)}]\n`;
    expect(read(uses(LIMITS.configAliases.value)).faults).toEqual([]);
    expect(read(uses(LIMITS.configAliases.value + 1)).faults).toEqual([
      "2:5 aliases that expand to too much",
    ]);
  });

  it("survives 10,000 levels of brackets", () => {
    expect(read("[".repeat(10_000)).faults[0]).toMatch(/^\d+:\d+ ./);
    expect(read("{a: ".repeat(10_000)).faults[0]).toMatch(/^\d+:\d+ ./);
    expect(read(`${"[".repeat(10_000)}${"]".repeat(10_000)}`).faults[0]).toBe("1:1 nested too deeply");
  });

  it("refuses a text over a MiB [limit: configLength]", () => {
    expect(read("#".repeat(LONGEST_TEXT + 1)).faults).toEqual(["1:1 larger than 1 MiB"]);
  });

  it("keeps a key that is called __proto__ a key", () => {
    expect(Object.keys(read("__proto__: { polluted: 1 }\n").value as object)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("reads what JSON.stringify writes", () => {
    const plain = fc.string({ unit: "grapheme-ascii", maxLength: 20 });
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        plain,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("any"), { maxLength: 4 }),
        fc.dictionary(plain, tie("any"), { maxKeys: 4 }),
      ),
    })).any;
    fc.assert(
      fc.property(value, (written) => {
        expect(read(JSON.stringify(written)).value).toEqual(written);
      }),
    );
  });

  it("never throws", () => {
    const pieces = fc.constantFrom(
      "a",
      ":",
      " ",
      "\n",
      "- ",
      "[",
      "]",
      "{",
      "}",
      ",",
      "&x",
      "*x",
      "|",
      ">",
      "'",
      '"',
      "#",
      "!",
      "?",
      "\t",
      "%",
      "---",
      "...",
      "<<",
      "\r",
      "é",
      "\0",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (parts) => void parseYaml(parts.join(""))),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => void parseYaml(text)));
  });
});
