// npm run fuzz                                   every reader of foreign bytes, a minute in all
// npm run fuzz -- order pattern --seconds 600    these, for ten minutes in all
// npm run fuzz -- order --seed 7                 as it was
//
// Gives each reader mutated samples: it must keep its word, and throw nothing but a sentence for the user. Exit status 1 when one did not; the
// input is printed, to be made a test.

import { readArguments } from "../support/arguments.ts";
import { PARSERS } from "./parsers.ts";
import { search } from "./search.ts";

const USAGE = `npm run fuzz -- [READER…] [--seconds N] [--seed N]\n\nReaders: ${PARSERS.map(({ name }) => name).join(", ")}`;
const given = readArguments("fuzz", USAGE, { seconds: "number", seed: "number" });
const { positionals } = given;
const unknown = positionals.filter((name) => !PARSERS.some((parser) => parser.name === name));
if (unknown.length > 0) {
  const names = PARSERS.map(({ name }) => name).join(", ");
  process.stderr.write(`Cannot fuzz: there is no reader ${unknown.join(", ")}; there are ${names}\n`);
  process.exit(2);
}
const chosen = PARSERS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const seed = given.number("seed") ?? Date.now() % 1_000_000;
const each = ((given.number("seconds") ?? 60) * 1000) / chosen.length;
let failures = 0;
for (const parser of chosen) {
  const { tried, failure, slowest } = search(parser, each, seed);
  const took = `slowest ${slowest.took.toFixed(1)} ms for ${slowest.input.length} bytes`;
  process.stdout.write(
    `${failure === null ? "ok    " : "FAILED"}  ${parser.name}: ${tried} inputs, ${took}\n`,
  );
  if (failure === null) continue;
  failures++;
  const { thrown, input } = failure;
  process.stdout.write(`  ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n`);
  process.stdout.write(`  seed ${seed}, input in base64: ${input.toString("base64")}\n`);
}
process.exit(failures === 0 ? 0 : 1);
