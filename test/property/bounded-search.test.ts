import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BoundedSearch } from "../../src/match/run/dfa/bounded-search.ts";
import { compilePrograms } from "../../src/match/run/dfa/compile-program.ts";
import { DfaMemory } from "../../src/match/run/dfa/dfa-memory.ts";
import { readLibrary } from "../filters/library.ts";
import { runs } from "../support/budget.ts";

// own process: all automata of a process share one bound on memory, and an automaton that is forgotten gives no answer.
/** Law: every answer of the automaton is V8's answer, groups included. */

const { piece } = fc.letrec<{ piece: string; part: string }>((tie) => ({
  part: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("a", "b", "ab", "c", " ") },
    fc.constantFrom(
      "[ab]",
      "[^a]",
      "[^\\n]",
      "a*",
      "b+?",
      "\\b",
      "\\B",
      "^",
      "$",
      "(?<=a)",
      "(?<!b)",
      "(?<=ab)",
    ),
  ),
  piece: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    { weight: 3, arbitrary: tie("part") },
    {
      weight: 3,
      arbitrary: fc.array(tie("piece"), { minLength: 2, maxLength: 4 }).map((all) => all.join("")),
    },
    fc
      .tuple(
        fc.constantFrom("(?:", "(", "(", "(?=", "(?!"),
        fc.array(tie("piece"), { minLength: 1, maxLength: 3 }),
      )
      .map(([open, all]) => `${open}${all.join("|")})`),
    fc
      .tuple(
        fc.constantFrom("(?:", "("),
        tie("piece"),
        fc.constantFrom("?", "*", "+", "{2}", "{1,3}", "{0,2}", "{2,}", "??", "*?", "+?", "{1,3}?"),
      )
      .map(([open, inner, count]) => `${open}${inner})${count}`),
  ),
}));

const line = fc
  .array(fc.constantFrom("a", "b", "ab", "c", " ", "aab", "\xe9"), { maxLength: 12 })
  .map((parts) => parts.join(""));

const numRuns = runs(6000);

describe("a bounded search", () => {
  it("finds what V8 finds for any pattern and line", () => {
    const seen = { matches: 0, misses: 0, unknown: 0 };
    fc.assert(
      fc.property(piece, fc.array(line, { minLength: 1, maxLength: 8 }), (source, lines) => {
        const search = searchFor(source);
        const regex = new RegExp(source);
        for (const text of lines) {
          const found = search.exec(text, { left: 1e9 });
          const expected = regex.exec(text);
          if (found === undefined) seen.unknown++;
          else if (found === null) {
            seen.misses++;
            expect(expected).toBeNull();
          } else {
            seen.matches++;
            expect(found).toEqual([...(expected ?? [])]);
          }
        }
      }),
      { numRuns },
    );
    expect(seen.matches).toBeGreaterThan(numRuns / 3);
    expect(seen.misses).toBeGreaterThan(numRuns / 3);
    expect(seen.unknown).toBeLessThan(seen.matches);
  });

  it("finds what V8 finds in the library's samples and in longer lines", () => {
    let matches = 0;
    for (const { filter, samples } of readLibrary()) {
      const { patterns, ignore, prefix } = filter!;
      for (const test of [...patterns, ...ignore, ...(prefix === null ? [] : [prefix])]) {
        const search =
          test.programs === null
            ? searchFor(test.source)
            : new BoundedSearch(test.programs, new DfaMemory(() => undefined));
        for (const [i, { line: text }] of samples.entries()) {
          // Every line that matches, some that do not, and longer ones of a few: an automaton per pattern takes seconds for all.
          const isChosen = i % 8 === test.source.length % 8;
          if (!isChosen && test.regex.exec(text) === null) continue;
          for (const variant of isChosen ? [text, ...longer(text)] : [text]) {
            const expected = test.regex.exec(variant);
            if (expected !== null) matches++;
            expect(search.exec(variant, { left: 1e9 })).toEqual(expected === null ? null : [...expected]);
          }
        }
      }
    }
    expect(matches).toBeGreaterThan(300);
  });

  it("gives no wrong answer when it exhausts its work at any step", () => {
    const source = "^(?:(a+)b|(?=ab)(ab)*c)+ from (\\S+)$";
    const text = "aabaabababcab from 192.0.2.1";
    const expected = [...(new RegExp(source).exec(text) ?? [])];
    let unknown = 0;
    for (let left = 0; left < 4000; left++) {
      const found = searchFor(source).exec(text, { left });
      if (found === undefined) unknown++;
      else expect(found).toEqual(expected);
    }
    expect(unknown).toBeGreaterThan(100);
    expect(unknown).toBeLessThan(4000);
  });
});

function searchFor(source: string): BoundedSearch {
  const programs = compilePrograms(source);
  if (programs === null) throw new Error(`/${source}/ is too large`);
  return new BoundedSearch(programs, new DfaMemory(() => {}));
}

function longer(text: string): string[] {
  return [text.replace(/[a-z]{4,}/, (word) => word.repeat(400)), `${text}${text}`];
}
