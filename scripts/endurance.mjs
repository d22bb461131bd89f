// @ts-check
// A short soak and the search for inputs that break a reader, at the same time: each needs one core. The last step of `npm test`.

import { run } from "./run.mjs";

/** @typedef {import("./vitest-account.mjs").Entry} Entry */

/** Minutes; it ends after the episode that is running then. */
const SOAK_MINUTES = "0.5";
/** Seconds for all readers together, beside the ten of test/fuzz/parsers.test.ts. */
const FUZZ_SECONDS = "50";

/** @returns {Promise<Entry[]>} */
export function endurance() {
  return Promise.all([
    attempt("soak: nothing is lost in half a minute of floods and events", [
      "test/torture/soak.ts",
      "--minutes",
      SOAK_MINUTES,
    ]),
    attempt("fuzz: every reader of foreign bytes keeps its word", [
      "test/fuzz/run.ts",
      "--seconds",
      FUZZ_SECONDS,
    ]),
  ]);
}

/** Exit status 2 means that it cannot run here. @param {string} name @param {string[]} args @returns {Promise<Entry>} */
async function attempt(name, args) {
  const { code, output } = await run(process.execPath, ["scripts/run-ts.mjs", ...args]);
  if (code === 0) return { name, state: "passed" };
  const said = output.trimEnd();
  if (code === 2) return { name, state: "skipped", reason: said };
  process.stdout.write(`${said.replaceAll(/^/gm, "    ")}\n`);
  return { name, state: "failed", reason: said.split("\n").at(-1) ?? `exit status ${code}` };
}
