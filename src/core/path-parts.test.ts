import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { pathParts } from "./path-parts.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-parts-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const below = (path: string): readonly string[] =>
  pathParts(path)
    .filter((part) => part.path.startsWith(`${folder}/`))
    .map((part) => `${part.path.slice(folder.length + 1)} ${part.mode.toString(8)}`);

it("names every folder and file on the way, also those behind links", () => {
  mkdirSync(join(folder, "real/deep"), { recursive: true, mode: 0o755 });
  mkdirSync(join(folder, "open"));
  chmodSync(join(folder, "open"), 0o1777);
  writeFileSync(join(folder, "real/deep/file"), "");
  chmodSync(join(folder, "real/deep/file"), 0o666);
  symlinkSync("../real/./deep", join(folder, "open/link"));
  symlinkSync(join(folder, "open/link/file"), join(folder, "first"));
  expect(below(join(folder, "first"))).toEqual([
    "open 1777",
    "real 755",
    "real/deep 755",
    "real/deep/file 666",
  ]);
  expect(pathParts(folder)[0]?.path).toBe("/");
});

it("ends at what is missing, and at links in a circle", () => {
  symlinkSync("b", join(folder, "a"));
  symlinkSync("a", join(folder, "b"));
  expect([below(join(folder, "a")), below(join(folder, "none/file"))]).toEqual([[], []]);
});
