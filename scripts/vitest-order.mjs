// @ts-check
// The order in which vitest runs the test files.

import { BaseSequencer } from "vitest/node";

/** @typedef {import("vitest/node").TestSpecification} TestSpecification */

/**
 * Vitest starts the files of one project after those of the other. This order interleaves the projects of a group: unit tests use
 * the processors while system tests wait. The longest files of each project come first, so that none runs alone at the end.
 */
export class Interleaved extends BaseSequencer {
  /** @override @param {TestSpecification[]} files */
  async sort(files) {
    const sorted = await super.sort(files);
    /** @type {Map<string, TestSpecification[]>} */
    const projects = new Map();
    for (const file of sorted) {
      const list = projects.get(file.project.name) ?? [];
      projects.set(file.project.name, [...list, file]);
    }
    const group = (/** @type {TestSpecification} */ file) => file.project.config.sequence.groupOrder;
    /** Position of a file in its project, from 0 to 1. @type {Map<TestSpecification, number>} */
    const place = new Map();
    for (const list of projects.values()) list.forEach((file, i) => place.set(file, i / list.length));
    return sorted.toSorted((a, b) => group(a) - group(b) || (place.get(a) ?? 0) - (place.get(b) ?? 0));
  }
}
