import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { follow, parseYaml, plainOf, TEXT_LIMITS } from "./yaml-tree.ts";

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
    ["a: 1\nb: 2\na: 3\n", "3:1 key a is written twice"],
    ["[a, b]: 1\n", "1:1 a key must be a single word"],
    ["a: *x\n", "1:4 alias *x has no anchor before it"],
    ["a: &x [*x]\n", "1:8 alias *x has no anchor before it"],
    ["a:\n\t- b\n", "2:1 tabs are not allowed as indentation"],
    ["a: 'x'\nb: \"y\nc: z\n", "2:4 the quote that begins here never ends"],
    ["a: b: c\n", "1:4 nested mappings are not allowed in compact mappings"],
    ["a: !odd x\n", "1:4 unresolved tag: !odd"],
    ["a: 1\n---\nb: 2\n", "2:1 it holds more than one YAML document"],
    ["a: 1\nb: \0\n", "2:4 it contains the character U+0000, so it is no text"],
    ["a: \u001b[31m\n", "1:4 it contains the character U+001B, so it is no text"],
  ])("says of %j: %s", (text, sentence) => {
    expect(read(text).faults).toEqual([sentence]);
  });

  it("tells all faults of the syntax, not only the first", () => {
    expect(read('a: "\\q"\nb: "\\w"\n').faults).toEqual([
      "1:5 invalid escape sequence \\q",
      "2:5 invalid escape sequence \\w",
    ]);
  });

  it("refuses a billion laughs at the alias that goes too far", () => {
    const laughs = Array.from(
      { length: 30 },
      (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join(", ")}]`,
    );
    const { faults } = read(["l0: &l0 [lol, lol]", ...laughs].join("\n"));
    expect(faults).toEqual([
      expect.stringMatching(/^\d+:\d+ it holds more than 200000 values, each use of an alias counted$/),
    ]);
  });

  it.each([
    ["[", "["],
    ["{a: ", ""],
    ["- ", "x"],
    ["? ", "x"],
  ])("survives 10,000 levels of %j", (open, end) => {
    const { value } = read(open.repeat(10_000) + end);
    expect(value).toBeNull();
  });

  it("survives 1,000 levels of indentation", () => {
    const text = Array.from({ length: 1000 }, (_, i) => `${" ".repeat(i)}a:\n`).join("");
    expect(read(text).faults).toEqual([expect.stringContaining("it is nested too deep")]);
  });

  it("says that it is nested too deep, at the level that is [limit: configDepth]", () => {
    expect(read("[".repeat(10_000)).faults).toEqual([`1:${TEXT_LIMITS.depth + 1} it is nested too deep`]);
  });

  it("refuses more values than anybody writes [limit: configValues]", () => {
    const list = `[${"1,".repeat(TEXT_LIMITS.values + 1)}]`;
    expect(read(list).faults).toEqual([expect.stringContaining("it holds more than 200000 values")]);
  });

  it("refuses a text over a MiB [limit: configLength]", () => {
    expect(read("#".repeat(TEXT_LIMITS.length + 1)).faults).toEqual(["1:1 it is larger than 1 MiB"]);
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
