// @ts-check
// npm test                  everything, from a fresh clone: packages, gates, build, all tests
// npm test -- src/core -t x only these tests; the arguments are vitest's
// npm run ok                gates and unit tests only; installs nothing (what to run before a commit)
//
// At the end: how long each group of tests took, the slowest files, and as the last line `N passed, N failed, N skipped`. A gate
// counts as one.

import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { providePackages } from "./debian-packages.mjs";
import { endurance } from "./endurance.mjs";
import { install, prepare } from "./prepare.mjs";
import { run } from "./run.mjs";

/**
 * @typedef {import("./vitest-account.mjs").Entry} Entry
 * @typedef {import("./vitest-account.mjs").Span} Span
 * @typedef {import("./vitest-account.mjs").Account} Account
 */

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);

const gates = {
  format: { what: "every file is formatted (cure: npm run format)", command: ["oxfmt", "--check"] },
  lint: {
    what: "house rules and the direction of imports",
    command: ["oxlint", "-c", "oxlint.config.js", "--type-aware", "--deny-warnings"],
  },
  types: { what: "the types are correct", command: ["tsc", "--noEmit"] },
  unused: { what: "no unused file, export or package", command: ["knip", "--no-progress"] },
  build: { what: "dist/ is built from these sources", command: ["node", "scripts/build.mjs"] },
};

/** @param {string} text */
const say = (text) => process.stdout.write(`${text}\n`);

/** @param {number} milliseconds */
const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`;

/** @param {number} since */
const elapsed = (since) => performance.now() - since;

/** @param {(keyof typeof gates)[]} names @returns {Promise<Entry[]>} */
async function runGates(names) {
  // At the same time, since none needs another's result; printed in order.
  const running = names.map(async (name) => {
    const started = performance.now();
    const [command = "", ...args] = gates[name].command;
    const path = `${join(root, "node_modules/.bin")}:${process.env["PATH"]}`;
    const { code, output } = await run(command, args, { env: { ...process.env, PATH: path } });
    return { name, code, output, took: seconds(elapsed(started)) };
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

/** @param {string[]} args @returns {Promise<Account>} */
async function runTests(args) {
  const folder = join(root, "node_modules/.cache/stoplog");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `tests-${process.pid}.json`);
  const reporters = ["--reporter=default", "--reporter=./scripts/vitest-account.mjs"];
  const { code } = await run("node_modules/.bin/vitest", ["run", ...reporters, ...args], {
    show: true,
    env: { ...process.env, STOPLOG_TEST_ACCOUNT: path },
  });
  /** @type {Account} */
  let account = { entries: [], groups: [], files: [] };
  try {
    account = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    // No account: vitest did not reach its end, and its exit status is reported below.
  }
  rmSync(path, { force: true });
  if (code !== 0 && !account.entries.some(({ state }) => state === "failed")) {
    account.entries.push({ name: "vitest", state: "failed", reason: `exit status ${code}` });
  }
  return account;
}

const SLOWEST = 10;

/**
 * The times of the groups overlap: unit and system tests run side by side.
 *
 * @param {readonly Span[]} groups
 * @param {readonly Span[]} files
 */
function tellTimes(groups, files) {
  const line = (/** @type {Span} */ { name, milliseconds }) =>
    `  ${seconds(milliseconds).padStart(8)}  ${name}`;
  say("Time by group (unit and system tests run side by side):");
  for (const group of groups) say(line(group));
  say(`The ${SLOWEST} slowest files:`);
  const slowest = files.toSorted((a, b) => b.milliseconds - a.milliseconds).slice(0, SLOWEST);
  for (const file of slowest) say(line(file));
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
  const count = (/** @type {Entry["state"]} */ state) => having(state).length;
  say(`${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`);
  process.exitCode = count("failed") > 0 ? 1 : 0;
}

async function everything() {
  say("Installs missing packages, checks format, lint, types and unused code, builds, and runs all tests.\n");
  const otherwise = "The tests that need them are skipped.";
  await providePackages({ for: "tests", who: "the tests", otherwise }, say);
  if (!(await install())) return tell([{ name: "npm ci", state: "failed" }]);
  const entries = await gatesAndTests(["format", "lint", "types", "unused", "build"], []);
  const { limitTests } = await import("./limit-tests.mjs");
  say("A short soak, and random bytes for every reader, at the same time …");
  tell([...entries, await limitTests(entries), ...(await endurance())]);
}

/** @param {(keyof typeof gates)[]} names @param {string[]} args @returns {Promise<Entry[]>} */
async function gatesAndTests(names, args) {
  const started = performance.now();
  const gated = await runGates(names);
  const gatesTook = elapsed(started);
  const { entries, groups, files } = await runTests(["--allowOnly=false", ...args]);
  tellTimes(
    [
      { name: "gates", milliseconds: gatesTook },
      ...groups,
      { name: "all of it", milliseconds: elapsed(started) },
    ],
    files,
  );
  return [...gated, ...entries];
}

async function beforeCommit() {
  tell(await gatesAndTests(["format", "lint", "types", "unused"], ["--project=unit"]));
}

/** @param {string[]} args */
async function only(args) {
  // Some tests start the built daemon, which must be current.
  /** @type {Entry[]} */
  const prepared = (await prepare()) ? [] : [{ name: "build", state: "failed", reason: "see above" }];
  tell([...prepared, ...(await runTests(args)).entries]);
}

const args = process.argv.slice(2);
if (args.length === 0) await everything();
else if (args[0] === "--ok") await beforeCommit();
else await only(args);
