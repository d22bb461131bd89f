// @ts-check
// npm test                  everything, from a fresh clone: packages, gates, build, all tests
// npm test -- src/core -t x only these tests; the arguments are vitest's
// npm run ok                gates and unit tests only; installs nothing (what to run before a commit)
//
// The last line is `N passed, N failed, N skipped`. A gate counts as one.

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installPackages, missingPackages } from "./debian-packages.mjs";
import { install, prepare } from "./prepare.mjs";
import { run } from "./run.mjs";

/** @typedef {import("./vitest-account.mjs").Entry} Entry */

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

const gates = {
  format: { what: "every file is formatted (npm run format puts it right)", command: ["oxfmt", "--check"] },
  lint: {
    what: "house rules, and the direction of imports",
    command: ["oxlint", "-c", "oxlint.config.js", "--type-aware", "--deny-warnings"],
  },
  types: { what: "the compiler agrees", command: ["tsc", "--noEmit"] },
  unused: { what: "no file, export or package that nothing uses", command: ["knip", "--no-progress"] },
  build: { what: "dist/ is made from these sources", command: ["node", "scripts/build.mjs"] },
};

/** @param {string} text */
const say = (text) => process.stdout.write(`${text}\n`);

/** @param {number} since */
const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** Installs what tests need outside of npm, where that is possible and wanted. Tests that miss something say so and skip. */
async function debianPackages() {
  const missing = missingPackages();
  if (missing === undefined || missing.length === 0) return;
  const root = process.getuid?.() === 0;
  const wanted = process.env["STOPLOG_NO_INSTALL"] !== "1";
  say(
    root && wanted
      ? "Installing Debian packages that tests need (or unpacking them into .cache/debian):"
      : "Debian packages that tests need are missing:",
  );
  for (const { name, why } of missing) say(`  ${name}: ${why}`);
  if (!root || !wanted) {
    say(
      `  Not installed, since ${wanted ? "this does not run as root" : "STOPLOG_NO_INSTALL=1"}; what needs them is skipped.`,
    );
    return;
  }
  const problem = await installPackages(missing);
  if (problem !== undefined)
    say(`${problem.trimEnd()}\n  Could not be installed; what needs them is skipped.`);
}

/** @param {(keyof typeof gates)[]} names @returns {Promise<Entry[]>} */
async function runGates(names) {
  // Side by side, since none needs another's result; told in order.
  const running = names.map(async (name) => {
    const started = performance.now();
    const [command = "", ...args] = gates[name].command;
    const path = `${join(root, "node_modules/.bin")}:${process.env["PATH"]}`;
    const { code, output } = await run(command, args, { env: { ...process.env, PATH: path } });
    return { name, code, output, took: seconds(started) };
  });
  /** @type {Entry[]} */
  const entries = [];
  for (const gate of running) {
    const { name, code, output, took } = await gate;
    say(`  ${code === 0 ? "ok    " : "FAILED"}  ${name}: ${gates[name].what} (${took})`);
    if (code !== 0) say(output.trimEnd().replaceAll(/^/gm, "    "));
    entries.push({ name, state: code === 0 ? "passed" : "failed" });
  }
  return entries;
}

/** @param {string[]} args @returns {Promise<Entry[]>} */
async function runTests(args) {
  const folder = join(root, "node_modules/.cache/stoplog");
  mkdirSync(folder, { recursive: true });
  const account = join(folder, `tests-${process.pid}.json`);
  const reporters = ["--reporter=default", "--reporter=./scripts/vitest-account.mjs"];
  const { code } = await run("node_modules/.bin/vitest", ["run", ...reporters, ...args], {
    show: true,
    env: { ...process.env, STOPLOG_TEST_ACCOUNT: account },
  });
  /** @type {Entry[]} */
  let entries = [];
  try {
    entries = JSON.parse(readFileSync(account, "utf8"));
  } catch {
    // No account means that vitest did not come to its end; its exit status says the rest.
  }
  rmSync(account, { force: true });
  if (code !== 0 && !entries.some(({ state }) => state === "failed")) {
    entries.push({ name: "vitest", state: "failed", reason: `exit status ${code}` });
  }
  return entries;
}

/** @param {readonly Entry[]} entries */
function tell(entries) {
  const having = (/** @type {Entry["state"]} */ state) => entries.filter((entry) => entry.state === state);
  for (const state of /** @type {const} */ (["skipped", "failed"])) {
    const some = having(state);
    if (some.length > 0) say(state === "failed" ? "Failed:" : "Skipped:");
    for (const { name, reason } of some) {
      say(`  ${name}${reason === undefined ? "" : `: ${reason.split("\n")[0]}`}`);
    }
  }
  const [passed, failed, skipped] = [
    having("passed").length,
    having("failed").length,
    having("skipped").length,
  ];
  say(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exitCode = failed > 0 ? 1 : 0;
}

async function everything() {
  say("Installs what is missing, checks format, lint, types and unused code, builds, and runs all tests.\n");
  await debianPackages();
  if (!(await install())) return tell([{ name: "npm ci", state: "failed" }]);
  const gated = await runGates(["format", "lint", "types", "unused", "build"]);
  tell([...gated, ...(await runTests(["--allowOnly=false"]))]);
}

async function beforeCommit() {
  const gated = await runGates(["format", "lint", "types", "unused"]);
  tell([...gated, ...(await runTests(["--allowOnly=false", "--project=unit"]))]);
}

/** @param {string[]} args */
async function only(args) {
  // Some tests start the built daemon, and must never meet a stale one.
  /** @type {Entry[]} */
  const prepared = (await prepare()) ? [] : [{ name: "build", state: "failed", reason: "see above" }];
  tell([...prepared, ...(await runTests(args))]);
}

const args = process.argv.slice(2);
if (args.length === 0) await everything();
else if (args[0] === "--ok") await beforeCommit();
else await only(args);
