import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readRegularFile } from "./read-regular-file.ts";

const folder = mkdtempSync(join(tmpdir(), "stoplog-regular-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("readRegularFile", () => {
  it("reads a file, through a link too", () => {
    writeFileSync(join(folder, "file"), "text\xff", "latin1");
    symlinkSync(join(folder, "file"), join(folder, "link"));
    expect(readRegularFile(join(folder, "link"), "latin1")).toBe("text\xff");
  });

  it.each<[string, (path: string) => void, string]>([
    ["a directory", () => undefined, "it is a directory"],
    [
      "a pipe, without waiting for a writer",
      (path) => spawnSync("mkfifo", [path]),
      "it is not a regular file",
    ],
    ["a device", (path) => symlinkSync("/dev/zero", path), "it is not a regular file"],
    ["a huge file", (path) => (writeFileSync(path, ""), truncateSync(path, 2 ** 40)), "it is larger than 64"],
    ["a missing file", () => undefined, "ENOENT"],
  ])("refuses %s", (what, make, fact) => {
    const path = what === "a directory" ? folder : join(folder, what.replaceAll(/\W/g, "-"));
    make(path);
    expect(() => readRegularFile(path, "utf8")).toThrow(fact);
  });
});
