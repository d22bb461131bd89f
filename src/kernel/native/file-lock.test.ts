import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FileLock, lockFile } from "./file-lock.ts";

describe("lockFile", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stoplog-lock-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const take = (path: string): FileLock => {
    const lock = lockFile(path);
    if ("release" in lock) return lock;
    throw new Error(`held by ${lock.by}`);
  };

  it("is held by one at a time, who is named", () => {
    const path = join(folder, "lock");
    const first = take(path);
    expect(lockFile(path)).toEqual({ by: process.pid });
    // Another program sees it too.
    expect(spawnSync("flock", ["-n", path, "true"]).status).toBe(1);
    first.release();
    const next = take(path);
    expect(readFileSync(path, "utf8")).toBe(`${process.pid}\n`);
    next.release();
    expect(existsSync(path)).toBe(false);
  });

  it("is a lock on the file that has the name", () => {
    const path = join(folder, "lock");
    const old = take(path);
    unlinkSync(path);
    const next = take(path);
    old.release();
    expect(lockFile(path)).toEqual({ by: process.pid });
    next.release();
  });

  it("writes through no link, and waits for no reader of a pipe", () => {
    writeFileSync(join(folder, "victim"), "precious");
    symlinkSync(join(folder, "victim"), join(folder, "link"));
    expect(() => lockFile(join(folder, "link"))).toThrow("ELOOP");
    expect(readFileSync(join(folder, "victim"), "utf8")).toBe("precious");
    spawnSync("mkfifo", [join(folder, "pipe")]);
    expect(() => lockFile(join(folder, "pipe"))).toThrow("not a regular file");
    mkdirSync(join(folder, "directory"));
    expect(() => lockFile(join(folder, "directory"))).toThrow("EISDIR");
  });
});
