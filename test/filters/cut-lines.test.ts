import { describe, expect, it } from "vitest";
import { explainLine } from "../../src/match/explain.ts";
import { cutsAt } from "../../src/match/cut/cuts.ts";
import type { CompiledFilter } from "../../src/match/filter/filter.ts";
import { fieldsOf, plant, plantsFor, VICTIM } from "./forging.ts";
import { runs } from "../support/budget.ts";
import { CONTEXT, readLibrary } from "./library.ts";

/** Law: in the first part of a line no filter of the library finds another host than in the whole line. */

const library = readLibrary().flatMap(({ name, filter, samples }) =>
  filter === null ? [] : [{ name, filter, samples }],
);

/** What a filter finds in the first `length` bytes of a longer line. */
function inCut(filter: CompiledFilter, line: string, length: number): string | null {
  const cuts = cutsAt(length, []);
  const explanation = explainLine(filter, line.slice(0, length), { ...CONTEXT, cuts });
  return "match" in explanation ? `${explanation.kind} ${explanation.match.host}` : null;
}

describe.each(library)("a cut line of $name", ({ filter, samples }) => {
  it("gives what the whole line gives, or nothing", () => {
    const wrong = samples.flatMap(({ line }) => {
      const whole = explainLine(filter, line, CONTEXT);
      // An ignoreregex excludes a cut line only by what is there.
      if (whole.kind === "ignored") return [];
      const expected = "match" in whole ? `${whole.kind} ${whole.match.host}` : null;
      return some([...Array(line.length).keys()], runs(120)).flatMap((length) => {
        const found = inCut(filter, line, length);
        return found === null || found === expected ? [] : [{ found, cut: line.slice(0, length) }];
      });
    });
    expect(wrong.slice(0, 3)).toEqual([]);
  });

  it("bans no other address, wherever an attacker arranges the cut", () => {
    const fields = samples.flatMap((sample) => fieldsOf(filter, sample));
    const planted = some(fields, runs(400)).flatMap((field) =>
      some(plantsFor(field, samples), 10).map((text) => plant(field, text)),
    );
    const cuts = new Set(planted.flatMap(cutsBehindVictim));
    const wrong = [...cuts].filter((cut) => inCut(filter, cut, cut.length)?.includes(VICTIM));
    expect(wrong.slice(0, 3)).toEqual([]);
  });
});

/** The line up to the end of each victim's address, of the rest of that word, and of the three words behind it. */
function cutsBehindVictim(line: string): string[] {
  const cuts: string[] = [];
  for (let at = line.indexOf(VICTIM); at >= 0; at = line.indexOf(VICTIM, at + 1)) {
    let end = at + VICTIM.length;
    cuts.push(line.slice(0, end));
    for (let word = 0; word <= WORDS_BEHIND && end < line.length; word++) {
      const blank = line.indexOf(" ", end);
      const wordEnd = blank < 0 ? line.length : blank;
      if (wordEnd > end) cuts.push(line.slice(0, wordEnd));
      end = wordEnd + 1;
    }
  }
  return cuts;
}

const WORDS_BEHIND = 3;

/** At most `count` of a list, evenly spread. */
function some<T>(list: readonly T[], count: number): T[] {
  const step = Math.max(1, list.length / count);
  return Array.from({ length: Math.min(count, list.length) }, (_, i) => list[Math.floor(i * step)]!);
}
