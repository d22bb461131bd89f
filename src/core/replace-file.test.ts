import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { replaceFile } from "./replace-file.ts";

describe("replaceFile", () => {
  let folder = "";
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "stoplog-replace-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it("writes a file with its permissions, and leaves nothing else", async () => {
    const path = join(folder, "file");
    writeFileSync(path, "old");
    expect(await replaceFile(path, ["a\n", "é\n"], { mode: 0o640 })).toBe(2);
    expect(readFileSync(path, "utf8")).toBe("a\né\n");
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  it("does not follow a link at its path or at that of the temporary file", async () => {
    const [path, other] = [join(folder, "file"), join(folder, "other")];
    writeFileSync(other, "untouched");
    symlinkSync(other, path);
    symlinkSync(other, `${path}.new`);
    await replaceFile(path, ["mine\n"]);
    expect(lstatSync(path).isFile()).toBe(true);
    expect([path, other].map((file) => readFileSync(file, "utf8"))).toEqual(["mine\n", "untouched"]);
  });
});
