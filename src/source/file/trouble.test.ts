import { execFileSync } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { eventually } from "../../../test/support/waiting.ts";
import { FileSource } from "./file-source.ts";
import type { FileOptions } from "./kind.ts";

function follow(options: Omit<FileOptions, "type">) {
  const source = new FileSource("auth", { type: "file", ...options });
  const abort = new AbortController();
  const done = source.run(() => undefined, abort.signal);
  return {
    source,
    stop: () => {
      abort.abort();
      return done;
    },
  };
}

it("a file source tells what it cannot follow as long as it cannot", async () => {
  const dir = mkdtempSync(join(tmpdir(), "stoplog-trouble-"));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const log = join(dir, "auth.log");
  const fifo = join(dir, "fifo");
  execFileSync("mkfifo", [fifo]);
  const one = follow({ path: [log, fifo] });
  const trouble = () => one.source.trouble();
  expect(trouble()).toBe(`${log} does not exist; cannot follow ${fifo}: it is a FIFO`);
  writeFileSync(log, "");
  rmSync(fifo);
  writeFileSync(fifo, "");
  await eventually(() => expect(trouble()).toBe(null));
  // The service opens its log again a moment after the rename, and may have nothing to write for longer.
  renameSync(log, `${log}.1`);
  await eventually(() => expect(one.source.stats.state).toContain(`waits for ${log}`));
  expect(trouble()).toBe(null);
  await one.stop();
  const none = follow({ path: join(dir, "*.none") });
  expect(none.source.trouble()).toBe("no file matches");
  await none.stop();
  const many = follow({ path: join(dir, "*"), maxFiles: 1 });
  expect(many.source.trouble()).toBe("cannot follow 1 of 2 files: the limit is 1");
});
