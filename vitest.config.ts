import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { Interleaved } from "./scripts/vitest-order.mjs";

/** Tests that saturate or measure this machine: one at a time, with nothing beside them. */
const alone = ["test/flood/**/*.test.ts"];

/** Tests with the real kernel and real daemons, each in namespaces, folders and sockets of its own. Most of their time is waiting. */
const system = ["test/system/**/*.test.ts"];

/** Files that replace modules, or say `own process` because they depend on what a whole process shares. */
const isolated = ["src", "test"]
  .flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => `${folder}/${name}`),
  )
  .filter((file) => file.endsWith(".test.ts") && /vi\.mock\(|own process:/.test(readFileSync(file, "utf8")));

/** Measured on two cores: four workers keep both busy; with six the run takes as long (207 s against 206 s). */
const maxWorkers = 4;

export default defineConfig({
  test: {
    sequence: { sequencer: Interleaved },
    projects: [
      {
        test: {
          name: "unit",
          pool: "forks",
          maxWorkers,
          // Named folders only, so that no test is ever collected from dist/.
          include: [
            "src/**/*.test.ts",
            "test/**/*.test.ts",
            "bench/**/*.test.ts",
            "scripts/**/*.test.ts",
            "packaging/**/*.test.ts",
          ],
          exclude: [...alone, ...system, ...isolated],
          // Files share processes: half of the processor time of small files is loading the code under test.
          isolate: false,
          // Far more than any test needs: a busy machine is not a failure.
          testTimeout: 240_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "isolated",
          pool: "forks",
          maxWorkers,
          include: isolated,
          testTimeout: 240_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "system",
          pool: "forks",
          maxWorkers,
          include: system,
          globalSetup: "test/support/netns-mount.ts",
          testTimeout: 240_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "alone",
          pool: "forks",
          maxWorkers: 1,
          include: alone,
          globalSetup: "test/support/netns-mount.ts",
          testTimeout: 240_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
