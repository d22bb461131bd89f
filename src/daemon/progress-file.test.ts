import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { ManualClock } from "../core/clock.ts";
import { HOUR, SECOND } from "../core/time.ts";
import { PROGRESS_FILE, readProgressTime } from "../store/progress.ts";
import { until } from "../../test/support/waiting.ts";
import { ProgressFile, type ProgressFileDeps } from "./progress-file.ts";

it("saves soon after the clock was set back", async () => {
  const directory = mkdtempSync(join(tmpdir(), "stoplog-progress-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const clock = new ManualClock(10 * HOUR);
  const file = new ProgressFile(directory, depsWith(clock));
  const saved = (): boolean =>
    statSync(join(directory, PROGRESS_FILE), { throwIfNoEntry: false }) !== undefined;
  file.tick(clock.now());
  await until("the first is saved", saved);
  clock.set(9 * HOUR);
  await until("the second is saved", async () => {
    clock.advance(SECOND);
    file.tick(clock.now());
    return ((await readProgressTime(directory)) ?? 0) < 10 * HOUR;
  });
  expect(clock.now()).toBeLessThan(10 * HOUR);
  await file.close({ flush: false, started: false });
});

/** Without jails and sources. */
function depsWith(clock: ManualClock): ProgressFileDeps {
  const nothing = { capture: () => [] };
  return {
    jails: { all: [], offences: nothing, trusted: nothing } as unknown as ProgressFileDeps["jails"],
    sources: { noteNew: async () => false, positions: () => ({}), resumeAt: () => undefined },
    bans: {
      commit: async () => null,
      takeSince: () => ({ ended: [], active: [], unallowed: [] }),
      capture: () => () => undefined,
    },
    isWaiting: () => false,
    clock,
    warn: (sentence) => {
      throw new Error(sentence);
    },
  };
}
