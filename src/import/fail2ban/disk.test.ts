import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { disk } from "./disk.ts";

it("a loop of links is there and gives the reason when it is read", () => {
  const folder = mkdtempSync(join(tmpdir(), "stoplog-disk-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const loop = join(folder, "loop.conf");
  symlinkSync("loop.conf", loop);
  expect(disk.exists(loop)).toBe(true);
  expect(disk.read(loop)).toEqual({
    fact: "its symbolic links form a loop, or it is a link where none is followed",
  });
  expect(disk.exists(join(folder, "missing.conf"))).toBe(false);
});
