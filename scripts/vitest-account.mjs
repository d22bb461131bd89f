// @ts-check
// A vitest reporter that writes down what scripts/test.mjs prints: every test with its state and, unlike vitest's own JSON, the
// reason why it was skipped; how long each project ran from its first file to its last; and how long each file took.

import { writeFileSync } from "node:fs";
import { relative } from "node:path";

/**
 * @typedef {{ name: string, state: "passed" | "failed" | "skipped", reason?: string }} Entry
 * @typedef {{ name: string, milliseconds: number }} Span
 * @typedef {{ entries: Entry[], groups: Span[], files: Span[] }} Account `groups`: how long each project ran
 * @typedef {import("vitest/node").TestModule} TestModule
 */

export default class AccountReporter {
  /** When the first file of a project began and the last one ended. @type {Map<string, { first: number, last: number }>} */
  #projects = new Map();
  /** @type {Map<string, number>} */
  #began = new Map();
  /** @type {Span[]} */
  #files = [];

  /** @param {TestModule} module */
  onTestModuleQueued(module) {
    const now = performance.now();
    this.#began.set(module.id, now);
    const span = this.#projects.get(module.project.name) ?? { first: now, last: now };
    this.#projects.set(module.project.name, span);
  }

  /** @param {TestModule} module */
  onTestModuleEnd(module) {
    const now = performance.now();
    const span = this.#projects.get(module.project.name);
    if (span !== undefined) span.last = now;
    const name = relative(process.cwd(), module.moduleId);
    this.#files.push({ name, milliseconds: now - (this.#began.get(module.id) ?? now) });
  }

  /**
   * @param {readonly TestModule[]} modules
   * @param {readonly import("vitest").SerializedError[]} unhandled
   */
  onTestRunEnd(modules, unhandled) {
    /** @type {Entry[]} */
    const entries = [];
    for (const module of modules) {
      const file = relative(process.cwd(), module.moduleId);
      // A file that cannot be loaded and a failing beforeAll leave no failed test; neither may look like success.
      for (const place of [module, ...module.children.allSuites()]) {
        const errors = place.errors();
        const name = place.type === "suite" ? `${file} > ${place.fullName}` : file;
        if (errors.length > 0) entries.push({ name, state: "failed", reason: errors[0]?.message ?? "" });
      }
      for (const test of module.children.allTests()) entries.push(entryOf(test, file));
    }
    for (const error of unhandled) {
      entries.push({ name: "outside any test", state: "failed", reason: error.message });
    }
    const groups = [...this.#projects].map(([name, { first, last }]) => ({
      name,
      milliseconds: last - first,
    }));
    /** @type {Account} */
    const account = { entries, groups, files: this.#files };
    const path = process.env["STOPLOG_TEST_ACCOUNT"];
    if (path !== undefined) writeFileSync(path, JSON.stringify(account));
  }
}

/** @param {import("vitest/node").TestCase} test @param {string} file @returns {Entry} */
function entryOf(test, file) {
  const name = `${file} > ${test.fullName}`;
  const result = test.result();
  if (result.state === "failed") return { name, state: "failed", reason: result.errors[0]?.message ?? "" };
  if (result.state === "passed") return { name, state: "passed" };
  // Pending: the run ended before the test.
  if (result.state === "pending") return { name, state: "failed", reason: "never finished" };
  const reason = result.note ?? (test.options.mode === "todo" ? "to do" : undefined);
  return reason === undefined ? { name, state: "skipped" } : { name, state: "skipped", reason };
}
