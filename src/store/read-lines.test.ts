import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readLines } from "./read-lines.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stoplog-lines-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function linesOf(content: string | Buffer, onLarge?: () => void): Promise<readonly string[]> {
  const path = join(directory, "file");
  writeFileSync(path, content);
  const lines: string[] = [];
  for await (const some of readLines(path, onLarge)) lines.push(...some);
  return lines;
}

describe("readLines", () => {
  it("yields whole lines wherever a read ends, also the last one without a line end", async () => {
    const lines = Array.from({ length: 3000 }, (_, i) => `${i} ${"ü€".repeat(i % 97)}`);
    expect(await linesOf(lines.join("\n"))).toEqual(lines);
    expect(await linesOf(`${lines.join("\n")}\n`)).toEqual(lines);
  });

  it("yields a line that is longer than many reads", async () => {
    const long = "x".repeat(1_000_000);
    expect(await linesOf(`a\n${long}\nb\n`)).toEqual(["a", long, "b"]);
  });

  it("yields an endless line in parts, and goes on after it", async () => {
    const lines = await linesOf(Buffer.from(`${"y".repeat(17 * 1024 * 1024)}\nb\n`, "latin1"));
    expect(lines.map((line) => line.length)).toEqual([16 * 1024 * 1024, 1024 * 1024, 1]);
  });

  it("reports once that a file is large", async () => {
    const calls: string[] = [];
    await linesOf("short\n", () => calls.push("short"));
    await linesOf("line\n".repeat(1_000_000), () => calls.push("long"));
    expect(calls).toEqual(["long"]);
  });

  it("yields nothing for an empty file, and fails for a missing one", async () => {
    expect(await linesOf("")).toEqual([]);
    await expect(readLines(join(directory, "none")).next()).rejects.toMatchObject({ code: "ENOENT" });
  });
});
