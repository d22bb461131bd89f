// npm run torture                                  every scenario, for ten minutes in all
// npm run torture -- kills repairs --seconds 60    these, for a minute each
// npm run torture -- kills --seed 7                one round, as it was
//
// Attacks the daemon and checks after each round: the kernel holds the book, what is listed as banned cannot send packets, every line counted
// exactly once, and nothing stayed unsaid. Needs root. Exit status 1 when an invariant did not hold.

import { readArguments } from "../support/arguments.ts";
import { build, isBuilt } from "../../scripts/build.mjs";
import { namespaceFault } from "../support/namespace.ts";
import { torture } from "./torture.ts";
import { SCENARIOS } from "./scenarios.ts";

const scenarios = SCENARIOS.map(({ name, what }) => `  ${name}: ${what}`).join("\n");
const USAGE = `npm run torture -- [SCENARIO…] [--seconds N] [--rounds N] [--seed N]\n\nScenarios:\n${scenarios}`;
const given = readArguments("torture", USAGE, { seconds: "number", seed: "number", rounds: "number" });
const { positionals } = given;
const fault = namespaceFault();
const unknown = positionals.filter((name) => !SCENARIOS.some((scenario) => scenario.name === name));
if (fault !== null || unknown.length > 0) {
  const names = SCENARIOS.map(({ name }) => name).join(", ");
  process.stderr.write(
    `Cannot torture: ${fault ?? `there is no scenario ${unknown.join(", ")}; there are ${names}`}\n`,
  );
  process.exit(2);
}
const chosen = SCENARIOS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
const seconds = given.number("seconds") ?? 600 / SCENARIOS.length;
const rounds = given.number("seed") === null ? (given.number("rounds") ?? Infinity) : 1;
const seed = given.number("seed") ?? Date.now() % 1_000_000;
if (!isBuilt()) await build();
let breaches = 0;
for (const scenario of chosen) {
  process.stdout.write(`${scenario.name}: ${scenario.what}\n`);
  const say = (line: string): void => void process.stdout.write(`  ${line}\n`);
  breaches += await torture(scenario, { seconds, rounds, seed, say });
}
process.stdout.write(breaches === 0 ? "Every invariant held.\n" : `${breaches} rounds broke an invariant.\n`);
process.exit(breaches === 0 ? 0 : 1);
