// @ts-check
// A vitest reporter that writes down what scripts/test.mjs needs: every test with its state, and why it was skipped, which
// vitest's own JSON leaves out.

import { writeFileSync } from "node:fs";
import { relative } from "node:path";

/**
 * @typedef {{ name: string, state: "passed" | "failed" | "skipped", reason?: string }} Entry
 * @typedef {import("vitest/node").TestModule} TestModule
 */

export default class Account {
  /**
   * @param {readonly TestModule[]} modules
   * @param {readonly import("vitest").SerializedError[]} unhandled
   */
  onTestRunEnd(modules, unhandled) {
    /** @type {Entry[]} */
    const entries = [];
    for (const module of modules) {
      const file = relative(process.cwd(), module.moduleId);
      // A file that cannot be loaded, or a failing beforeAll, leaves no failed test behind; it must not look like success.
      for (const place of [module, ...module.children.allSuites()]) {
        const errors = place.errors();
        const name = place.type === "suite" ? `${file} > ${place.fullName}` : file;
        if (errors.length > 0) entries.push({ name, state: "failed", reason: errors[0]?.message ?? "" });
      }
      for (const test of module.children.allTests()) entries.push(entryOf(test, file));
    }
    for (const error of unhandled) {
      entries.push({ name: "outside of any test", state: "failed", reason: error.message });
    }
    const path = process.env["STOPLOG_TEST_ACCOUNT"];
    if (path !== undefined) writeFileSync(path, JSON.stringify(entries));
  }
}

/** @param {import("vitest/node").TestCase} test @param {string} file @returns {Entry} */
function entryOf(test, file) {
  const name = `${file} > ${test.fullName}`;
  const result = test.result();
  if (result.state === "failed") return { name, state: "failed", reason: result.errors[0]?.message ?? "" };
  if (result.state === "passed") return { name, state: "passed" };
  // Pending means that the run ended before the test did.
  if (result.state === "pending") return { name, state: "failed", reason: "never finished" };
  const reason = result.note ?? (test.options.mode === "todo" ? "still to be written" : undefined);
  return reason === undefined ? { name, state: "skipped" } : { name, state: "skipped", reason };
}
