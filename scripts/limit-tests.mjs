// @ts-check
// Checks that a test of this run exceeded every limit of docs/limits.md. The name of such a test contains `[limit: NAME]`;
// test/lint/limits.test.ts checks that it looks at the limit's counter.

import { run } from "./run.mjs";

/** @typedef {import("./vitest-account.mjs").Entry} Entry */

/** @param {readonly Entry[]} entries @returns {Promise<Entry>} */
export async function limitTests(entries) {
  const name = "limits: a test exceeded each of them";
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
