import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Field, fieldsOf, hitHost, linesAgainstVictim, PHRASES, plant, plantsFor } from "./forging.ts";
import { readLibrary } from "./library.ts";
import type { Sample } from "./samples.ts";
import { runs } from "../support/budget.ts";

const library = readLibrary().flatMap(({ name, filter, samples }) =>
  filter === null ? [] : [{ name, filter, samples }],
);

describe.each(library)("attacker-controlled text in a line of $name", ({ filter, samples }) => {
  const fields = samples.flatMap((sample) => fieldsOf(filter, sample));

  it("bans no other address when it looks like an address or the end of the line", () => {
    const lines = fields.flatMap((field) => plantsFor(field, samples).map((text) => plant(field, text)));
    expect(linesAgainstVictim(filter, lines).slice(0, 3)).toEqual([]);
  });

  if (fields.length === 0) return;

  it("bans no other address in any combination", () => {
    const field = fc.constantFrom(...fields);
    const pieces = fc.array(fc.constantFrom(...PHRASES, ...JOINTS, ...wordsOf(samples)), {
      minLength: 1,
      maxLength: 9,
    });
    const line = fc.tuple(field, pieces).map(([where, parts]) => plant(where, parts.join("")));
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: AT_ONCE, size: "max" }),
        (lines) => linesAgainstVictim(filter, lines).length === 0,
      ),
      { numRuns: Math.ceil((runs(3000) * 2) / AT_ONCE), seed: 20261120 },
    );
  });
});

/** Lines of one run; half as many on average. */
const AT_ONCE = 100;

/** Law: no text that a client chooses hides it, except where the samples say so (`#! … uncounted with …`). */
describe.each(library)("a client of $name", ({ filter, samples }) => {
  it("is counted whatever it writes into its fields", () => {
    const failures = samples.filter(({ expected }) => expected.kind === "fail");
    const hidden = failures.flatMap((sample) => {
      const host = hitHost(filter, sample.line);
      return fieldsOf(filter, sample)
        .filter(({ name }) => CHOSEN.test(name))
        .flatMap((field) =>
          ADDITIONS.filter((text) => isCountedWith(field, text)).map((text) => varied(field, text)),
        )
        .filter((line) => hitHost(filter, line) !== host);
    });
    expect(hidden.slice(0, 5)).toEqual([]);
  });
});
/** Names and free texts; URLs, requests and user agents are what a filter looks for. */
const CHOSEN = /^(?:user|alt_user\d?|helo|rcpt|sender|session|name|mechanism|extension|from|realm|free)$/;

const ADDITIONS: readonly string[] = [
  ...Array.from(" '()[]<>,:;=\\\"\t#%@-", (sign) => `${sign}x`),
  " from x",
  ": x",
  "\u00c3\u00a9",
  "X".repeat(64),
];

function isCountedWith({ sample, name }: Field, text: string): boolean {
  const without = sample.uncounted[name] ?? "";
  return !Array.from(text).some((sign) => without.includes(sign));
}

function varied(field: Field, text: string): string {
  return plant(field, field.sample.line.slice(field.start, field.end) + text);
}

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
