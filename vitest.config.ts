import { defineConfig } from "vitest/config";

/** Tests that touch the real kernel or start real daemons: one after the other, so that none measures another one's load. */
const systemTests = ["test/system/**/*.test.ts", "test/flood/**/*.test.ts", "test/fleet/**/*.test.ts"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          pool: "forks",
          // Named folders only, so that nothing is ever collected from dist.
          include: ["src/**/*.test.ts", "test/**/*.test.ts", "bench/**/*.test.ts", "scripts/**/*.test.ts"],
          exclude: systemTests,
          // Far more than any needs: a machine that does other things as well is no reason to fail.
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "system",
          pool: "forks",
          include: systemTests,
          fileParallelism: false,
          maxWorkers: 1,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // After the unit tests, never beside them.
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
