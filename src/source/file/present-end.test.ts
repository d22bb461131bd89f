import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../../../test/support/waiting.ts";
import { FileSource } from "./file-source.ts";
import { presentEnd } from "./present-end.ts";

describe("presentEnd", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "stoplog-end-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is where a source begins that is opened later: at half a line, in a rotated file, in a new one", async () => {
    const write = (name: string, text: string): void => appendFileSync(join(folder, name), text);
    write("a.log", "old\nhalf ");
    write("b.log", "old\n");
    mkdirSync(join(folder, "not-a-file.log"));
    const options = { type: "file", path: join(folder, "*.log") } as const;
    const position = presentEnd(options);
    write("a.log", "a line\nnew in a\n");
    write("b.log", "new in b, before it was rotated\n");
    renameSync(join(folder, "b.log"), join(folder, "b.log.1"));
    write("b.log", "new in the next b\n");
    write("c.log", "new in c\n");
    const lines: string[] = [];
    const stop = new AbortController();
    const source = new FileSource("s", options, position);
    const done = source.run(({ bytes, start, end }) => {
      lines.push(...bytes.toString("utf8", start, end).trimEnd().split("\n"));
    }, stop.signal);
    await until("all lines are read", () => lines.length >= 5);
    stop.abort();
    await done;
    expect(lines.toSorted()).toEqual([
      "half a line",
      "new in a",
      "new in b, before it was rotated",
      "new in c",
      "new in the next b",
    ]);
  });

  it("has no compressed file that a pattern matches: its source would report it as lost", async () => {
    writeFileSync(join(folder, "a.log"), "old\n");
    writeFileSync(
      join(folder, "a.log.2.gz"),
      gzipSync(Array.from({ length: 5000 }, (_, n) => `older ${n * n}\n`).join("")),
    );
    const options = { type: "file", path: join(folder, "a.log*") } as const;
    const position = presentEnd(options);
    expect(position).toMatchObject({ files: [{ path: join(folder, "a.log") }] });
    const source = new FileSource("s", options, position);
    const stop = new AbortController();
    const done = source.run(() => undefined, stop.signal);
    await until("it follows", () => source.stats.state.startsWith("follows"));
    stop.abort();
    await done;
    expect(source.stats.lostFiles).toBe(0);
  });

  it("is null for a source that reads files from their beginnings", () => {
    writeFileSync(join(folder, "a.log"), "old\n");
    expect(presentEnd({ type: "file", path: join(folder, "a.log"), start: "beginning" })).toBeNull();
  });
});
