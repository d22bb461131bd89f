import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BoundedSearch } from "../../src/match/run/dfa/bounded-search.ts";
import { compilePrograms, compileSteps } from "../../src/match/run/dfa/compile-program.ts";
import { DfaMemory } from "../../src/match/run/dfa/dfa-memory.ts";
import { StepSearch } from "../../src/match/run/steps/step-search.ts";
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
      "(?<!ab)",
      "(?<=(a|ab)*b)",
      "(?<=(\\w+))",
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
            expect(found).toEqual(matchOf(expected));
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
        const search = searchFor(test.source);
        for (const { line: text } of samples) {
          for (const variant of [
            text,
            text.replace(/[a-z]{4,}/, (word) => word.repeat(400)),
            `${text}${text}`,
          ]) {
            const expected = test.regex.exec(variant);
            if (expected !== null) matches++;
            expect(search.exec(variant, { left: 1e9 })).toEqual(matchOf(expected));
          }
        }
      }
    }
    expect(matches).toBeGreaterThan(300);
  });

  it("gives no wrong answer when it exhausts its work at any step", () => {
    const source = "^(?:(a+)b|(?=ab)(ab)*c)+ from (\\S+)$";
    const text = "aabaabababcab from 192.0.2.1";
    const expected = matchOf(new RegExp(source).exec(text));
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

describe("a search in steps", () => {
  it("finds what V8 finds for any pattern and line", () => {
    const seen = { matches: 0, misses: 0 };
    fc.assert(
      fc.property(piece, fc.array(line, { minLength: 1, maxLength: 8 }), (source, lines) => {
        const search = stepsFor(source);
        const regex = new RegExp(source);
        for (const text of lines) {
          const found = search.exec(text, { left: 1e6 });
          const expected = regex.exec(text);
          if (expected === null) seen.misses++;
          else seen.matches++;
          expect(found).toEqual(matchOf(expected));
        }
      }),
      { numRuns },
    );
    expect(seen.matches).toBeGreaterThan(numRuns / 3);
    expect(seen.misses).toBeGreaterThan(numRuns / 3);
  });

  it("finds in a cut text only what V8 finds with the same host whatever follows", () => {
    let found = 0;
    const parts = fc.tuple(
      fc.oneof(fc.constantFrom("", "^", "^[^\\n]*", "^a?[^\\n]*?"), piece),
      fc.constantFrom("(a+)", "([ab]+)", "(\\w+)\\b", "(?:(a)|(b))", "([ab]*[ab])"),
      fc.oneof(fc.constantFrom("", " ", "c", "[^\\n]*", "(?: [^\\n]*)?"), piece),
      fc.constantFrom("", "", "$", "[^\\n]*$"),
    );
    const texts = fc.array(
      fc.tuple(line, line).map((two) => two.join("")),
      { minLength: 8, maxLength: 8 },
    );
    const tails = fc.array(line, { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(parts, texts, tails, ([before, host, after, end], cuts, rests) => {
        const source = `${before}${host}(?:${after})${end}`;
        const first = groupsIn(before);
        const hosts = Array.from({ length: groupsIn(host) }, (_, i) => first + i + 1);
        const search = stepsFor(source);
        for (const text of cuts) {
          const match = search.exec(text, { left: 1e6 }, { hosts, content: 0 });
          expect(match).not.toBeUndefined();
          if (match === null || match === undefined) continue;
          found++;
          for (const rest of ["", ...rests]) {
            const whole = new RegExp(source).exec(text + rest);
            expect(whole).not.toBeNull();
            expect(hosts.map((group) => whole?.[group])).toEqual(hosts.map((group) => match[group]));
          }
        }
      }),
      { numRuns },
    );
    expect(found).toBeGreaterThan(numRuns / 4);
  });
});

describe("a pattern with back-references", () => {
  const sources = fc
    .tuple(piece, piece, fc.constantFrom("", "?", "*", "+?"), piece)
    .map(([said, between, many, end]) => `(${said})${between}(?:(?:\\1)c?)${many}${end}`);

  it("gives V8's answers in steps, and the automaton misses none, where every group takes part", () => {
    const seen = { matches: 0, misses: 0, excluded: 0 };
    fc.assert(
      fc.property(sources, fc.array(line, { minLength: 1, maxLength: 8 }), (source, lines) => {
        const search = stepsFor(source);
        const automaton = searchFor(source);
        for (const text of lines) {
          const expected = new RegExp(source).exec(text);
          if (expected === null) seen.misses++;
          else seen.matches++;
          const found = search.exec(text, { left: 1e6 });
          if (found !== undefined) expect(found).toEqual(matchOf(expected));
          const excluded = automaton.exec(text, { left: 1e9 });
          expect(excluded).toBeOneOf(expected === null ? [null, undefined] : [undefined]);
          if (excluded === null) seen.excluded++;
        }
      }),
      { numRuns },
    );
    expect(seen.matches).toBeGreaterThan(numRuns / 20);
    expect(seen.excluded).toBeGreaterThan(numRuns / 10);
  });

  it("finds in a cut text only what V8 finds whatever follows", () => {
    let found = 0;
    const tails = fc.array(line, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(sources, fc.array(line, { minLength: 1, maxLength: 8 }), tails, (source, cuts, rests) => {
        const search = stepsFor(source);
        for (const text of cuts) {
          const match = search.exec(text, { left: 1e6 }, { hosts: [1], content: 0 });
          if (match === null || match === undefined) continue;
          found++;
          for (const rest of ["", ...rests]) expect(new RegExp(source).exec(text + rest)?.[1]).toBe(match[1]);
        }
      }),
      { numRuns },
    );
    expect(found).toBeGreaterThan(numRuns / 10);
  });
});

/** Without what only V8's matches have. */
function matchOf(found: RegExpExecArray | null): readonly unknown[] | null {
  return found === null ? null : Object.assign([...found], { index: found.index });
}

function groupsIn(source: string): number {
  return (new RegExp(`${source}|`).exec("")?.length ?? 1) - 1;
}

function stepsFor(source: string): StepSearch {
  const graph = compileSteps(source);
  if (graph === null) throw new Error(`/${source}/ is too large`);
  return new StepSearch(graph);
}

function searchFor(source: string): BoundedSearch {
  const programs = compilePrograms(source);
  if (programs === null) throw new Error(`/${source}/ is too large`);
  return new BoundedSearch(programs, new DfaMemory(() => {}));
}
