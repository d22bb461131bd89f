import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { LIMITS } from "../../core/limits.ts";
import { FileSource } from "./file-source.ts";

it("a pattern searches a bounded number of folders, and the state says so [limit: folders]", async () => {
  const dir = mkdtempSync(join(tmpdir(), "stoplog-folders-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  for (let i = 0; i <= LIMITS.folders.value; i++) mkdirSync(join(dir, String(i)));
  const source = new FileSource("web", { type: "file", path: join(dir, "*", "*.log") });
  const abort = new AbortController();
  const done = source.run(() => undefined, abort.signal);
  expect(source.stats.state).toContain(`cannot search further folders: the limit is ${LIMITS.folders.value}`);
  abort.abort();
  await done;
});
