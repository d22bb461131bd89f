import { describe, expect, it } from "vitest";
import { typicalFrequency } from "./gram-frequency.ts";
import { buildGramTable } from "./gram-table.ts";
import { findableRequirements } from "./findable.ts";
import { planLiterals } from "./literal-plan.ts";
import { Prefilter } from "./prefilter.ts";

/** Where the pattern's literals are found in the part of `bytes` from `start` to `end`. */
function finds(pattern: string, bytes: Buffer, start: number, end: number): number[] {
  const plan = planLiterals([findableRequirements(pattern)], typicalFrequency());
  if (plan.byPattern[0]?.length === 0) throw new Error(`no literal in ${pattern}`);
  const places: number[] = [];
  const prefilter = new Prefilter(buildGramTable(plan));
  prefilter.scan(bytes, start, end, { found: (_, at) => places.push(at) });
  return places;
}

const TEXTS = ["abcde", "abcdef", "abcdefg", "abcdefgh", "abcdefghi", "abcdefghijklmnop"];

describe("the prefilter", () => {
  it.each(TEXTS)("finds %s at every alignment, alone in the batch and inside other text", (text) => {
    for (let shift = 0; shift < 16; shift++) {
      for (const around of [0, 10, 255, 97]) {
        // An odd byteOffset, as buffers of Node's pool have.
        const bytes = Buffer.from(new ArrayBuffer(80), shift % 4, 64).fill(around);
        const at = 9 + (shift >>> 2);
        bytes.write(text, at, "latin1");
        for (const before of [0, 1, 2, 3]) {
          for (const behind of [0, 1, 2, 3]) {
            expect(finds(text, bytes, at - before, at + text.length + behind)).toEqual([at]);
          }
        }
      }
    }
  });

  it.each(TEXTS)("does not find %s partly outside the batch", (text) => {
    for (let at = 8; at < 16; at++) {
      const bytes = Buffer.alloc(48, "x");
      bytes.write(text, at, "latin1");
      expect(finds(text, bytes, at + 1, 48)).toEqual([]);
      expect(finds(text, bytes, 0, at + text.length - 1)).toEqual([]);
    }
  });

  it("finds a literal across two blocks", () => {
    for (const text of ["abcde", "abcdefghi"]) {
      const block = 4096 * (text.length - 1);
      for (let start = 0; start < 3; start++) {
        for (let shift = -12; shift < 12; shift++) {
          const bytes = Buffer.alloc(block * 3, "x");
          const at = start + block + shift;
          bytes.write(text, at, "latin1");
          expect(finds(text, bytes, start, bytes.length)).toEqual([at]);
        }
      }
    }
  });

  it("accepts batches smaller than a word", () => {
    const bytes = Buffer.from("abcdefgh");
    for (let start = 0; start < 5; start++) {
      for (let end = start; end < start + 4; end++) expect(finds("abcde", bytes, start, end)).toEqual([]);
    }
  });
});

describe("the literals of a pattern", () => {
  it.each([
    ["Failed password for .* from", ["Failed password for"]],
    ["(?:abcdef|ghijkl)+ x", ["abcdef", "ghijkl"]],
    ["abcde(?:fgh)?ij", ["abcdefghij", "abcdeij"]],
    ["[aA][bB][cC]defg", ["abcdefg", "ABCdefg"]],
    ["(?!never)abcdef$", ["abcdef"]],
    ["(?:x|y.*)abcdef", ["abcdef"]],
  ])("are found for %s", (pattern, texts) => {
    for (const text of texts) {
      const bytes = Buffer.from(` ${text} xx abcdef `);
      expect(finds(pattern, bytes, 0, bytes.length).length).toBeGreaterThan(0);
    }
  });

  it.each(["abcd", ".*", "(?:abcdef)?x", "(?:abcdef|x)", "\\w\\w\\w\\w\\w\\w", "[a-z]{9}"])(
    "are none for %s",
    (pattern) => {
      expect(findableRequirements(pattern)).toEqual([]);
    },
  );
});
