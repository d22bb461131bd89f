import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Field, fieldsOf, hitHost, PHRASES, plant, plantsFor, VICTIM } from "./forging.ts";
import { readLibrary } from "./library.ts";
import type { Sample } from "./samples.ts";
import { runs } from "../support/budget.ts";

const library = readLibrary().flatMap(({ name, filter, samples }) =>
  filter === null ? [] : [{ name, filter, samples }],
);

describe.each(library)("attacker-controlled text in a line of $name", ({ filter, samples }) => {
  const fields = samples.flatMap((sample) => fieldsOf(filter, sample));
  const takesIn = (line: string): boolean => hitHost(filter, line)?.includes(VICTIM) === true;

  it("bans no other address when it looks like an address or the end of the line", () => {
    const forged = fields.flatMap((field) =>
      plantsFor(field, samples)
        .map((text) => plant(field, text))
        .filter(takesIn),
    );
    expect(forged.slice(0, 3)).toEqual([]);
  });

  if (fields.length === 0) return;

  it("bans no other address in any combination", () => {
    const field = fc.constantFrom(...fields);
    const pieces = fc.array(fc.constantFrom(...PHRASES, ...JOINTS, ...wordsOf(samples)), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(field, pieces, (where: Field, parts: string[]) => !takesIn(plant(where, parts.join("")))),
      { numRuns: runs(3000), seed: 20261120 },
    );
  });
});

const JOINTS = [
  " ",
  "  ",
  '"',
  "'",
  ": ",
  ", ",
  "[",
  "]",
  "(",
  ")",
  "<",
  ">",
  "=",
  "#1",
  " port 22",
  " ssh2",
  " from ",
  ";",
  "\\",
  "\t",
];

/** The words of the filter's own samples, its literals among them. */
function wordsOf(samples: readonly Sample[]): string[] {
  return [...new Set(samples.flatMap(({ line }) => line.split(/(?<=[ :,>"'])/)))].slice(0, 400);
}
