// @ts-check
// Whether every limit of docs/limits.md was exceeded by a test of this run. Such tests have the limit's name in theirs, as
// `[limit: NAME]`; test/lint/limits.test.ts says what they must look at.

import { run } from "./run.mjs";

/** @typedef {import("./vitest-account.mjs").Entry} Entry */

/** @param {readonly Entry[]} entries @returns {Promise<Entry>} */
export async function limitTests(entries) {
  const name = "limits: each was exceeded by a test";
  /** @param {Entry["state"]} state */
  const limitsOf = (state) =>
    new Set(
      entries
        .filter((entry) => entry.state === state)
        .flatMap((entry) => [...entry.name.matchAll(/\[limit: (\w+)\]/g)].map((match) => match[1])),
    );
  const [passed, skipped] = [limitsOf("passed"), limitsOf("skipped")];
  const missing = (await limitNames()).filter((limit) => !passed.has(limit));
  if (missing.length === 0) return { name, state: "passed" };
  const reason = `no test passed for ${missing.join(", ")}`;
  return { name, state: missing.every((limit) => skipped.has(limit)) ? "skipped" : "failed", reason };
}

/** @returns {Promise<string[]>} */
async function limitNames() {
  const { code, output } = await run(process.execPath, ["scripts/run-ts.mjs", "scripts/limit-names.ts"]);
  if (code !== 0) throw new Error(output);
  return JSON.parse(output);
}
