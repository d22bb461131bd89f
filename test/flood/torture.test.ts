import { describe, expect, it } from "vitest";
import { namespaceFault, titled } from "../support/namespace.ts";
import { SCENARIOS } from "../torture/scenarios.ts";
import { torture } from "../torture/torture.ts";

const fault = namespaceFault();

/**
 * Not in every run: `repairs` has a bound in seconds, which a busy machine misses.
 */
const ON_REQUEST = ["repairs"];

/** One round of each scenario, another one in each run. `npm run torture` goes on for minutes, and repeats a round by its seed. */
describe.skipIf(fault !== null)(titled("a tortured daemon", fault), () => {
  it.each(SCENARIOS.filter(({ name }) => !ON_REQUEST.includes(name)))("$name: $what", async (scenario) => {
    const said: string[] = [];
    const options = { seconds: 0, rounds: 1, seed: Date.now() % 1_000_000 };
    const breaches = await torture(scenario, { ...options, say: (line) => said.push(line) });
    expect([breaches, ...said]).toEqual([0, ...said]);
  });
});
