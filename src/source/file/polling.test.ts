import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { CollectedLines } from "../../../test/support/collected-lines.ts";
import { until } from "../../../test/support/waiting.ts";
import { FileSource } from "./file-source.ts";

// Simulates NFS, or a system without free inotify watches.
vi.mock("./alarm.ts", () => ({
  Alarm: class {
    set(): string {
      return "fs.inotify.max_user_watches is reached";
    }
    clear(): void {}
  },
}));

it("a FileSource polls files that cannot be watched, and says so", async () => {
  const dir = mkdtempSync(join(tmpdir(), "stoplog-polling-"));
  const log = join(dir, "auth.log");
  writeFileSync(log, "");
  const source = new FileSource("auth", { type: "file", path: [log, join(dir, "later-*.log")] });
  const got = new CollectedLines();
  const abort = new AbortController();
  const done = source.run(got.sink, abort.signal);
  onTestFinished(async () => {
    abort.abort();
    await done;
    rmSync(dir, { recursive: true });
  });
  const state = `follows ${log}, polls every 250 ms: fs.inotify.max_user_watches is reached`;
  await until(
    "the source is in the wanted state",
    () => source.stats.state === state,
    () => source.stats.state,
  );
  appendFileSync(log, "1\n");
  await got.until(1);
  writeFileSync(join(dir, "later-1.log"), "2\n");
  await got.until(2);
  renameSync(log, `${log}.1`);
  writeFileSync(log, "3\n");
  expect(await got.until(3)).toEqual(["1", "2", "3"]);
});
