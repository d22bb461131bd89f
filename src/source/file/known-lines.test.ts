import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CollectedLines } from "../../../test/support/collected-lines.ts";
import { FileSource } from "./file-source.ts";

let dir = "";
let log = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "stoplog-known-"));
  log = join(dir, "board.log");
});
afterEach(() => rmSync(dir, { recursive: true }));

const line = (second: number): string => `2026-12-01 08:00:${String(second).padStart(2, "0")} board error\n`;

async function following(work: (got: CollectedLines) => Promise<void>): Promise<readonly string[]> {
  writeFileSync(log, "");
  const source = new FileSource("board", { type: "file", path: log });
  const got = new CollectedLines();
  const abort = new AbortController();
  const done = source.run(got.sink, abort.signal);
  await work(got);
  await sleep(60); // a line that comes twice would come now
  abort.abort();
  await done;
  return got.lines.map((text) => text.slice(17, 19));
}

describe("a log that is rewritten", () => {
  it.each(["over the file", "by rename"])(
    "is read behind its known lines, when it keeps its newest three: %s",
    async (how) => {
      const read = await following(async (got) => {
        for (const second of [1, 1, 1]) appendFileSync(log, line(second));
        await got.until(3);
        for (let second = 2; second < 8; second++) {
          const kept = readFileSync(log, "utf8")
            .split("\n")
            .slice(1, -1)
            .map((text) => `${text}\n`)
            .join("");
          if (how === "by rename") {
            writeFileSync(`${log}.new`, kept + line(second));
            renameSync(`${log}.new`, log);
          } else writeFileSync(log, kept + line(second));
          await got.until(second + 2);
          await sleep(20);
        }
      });
      expect(read).toEqual(["01", "01", "01", "02", "03", "04", "05", "06", "07"]);
    },
  );

  it("is read once when a copy takes its place, and is rewritten before it grows", async () => {
    const read = await following(async (got) => {
      for (const second of [1, 2]) appendFileSync(log, line(second));
      await got.until(2);
      const all = readFileSync(log);
      writeFileSync(join(dir, "copy"), all);
      renameSync(join(dir, "copy"), log);
      await sleep(1500); // the copy is followed
      writeFileSync(log, "");
      await sleep(300); // the empty file is seen
      writeFileSync(log, all);
      await sleep(300);
    });
    expect(read).toEqual(["01", "02"]);
  });

  it("is read once when an editor or `sed -i` changes lines, and lines follow", async () => {
    const read = await following(async (got) => {
      for (let second = 10; second < 30; second++) appendFileSync(log, line(second));
      await got.until(20);
      execFileSync("sed", ["-i", "/:15 /d; /:29 /d", log]);
      await sleep(20);
      appendFileSync(log, line(30));
      await got.until(21);
      // The same first lines, and a shorter end: an editor writes over the file.
      writeFileSync(log, readFileSync(log, "utf8").replace(line(27), ""));
      await sleep(20);
      appendFileSync(log, line(31));
      await got.until(22);
    });
    expect(read).toEqual(Array.from({ length: 22 }, (_, i) => String(10 + i)));
  });

  it("is read from its start when it has no known line, or when its lines have no time", async () => {
    const read = await following(async (got) => {
      for (const second of [1, 2, 3]) appendFileSync(log, line(second));
      await got.until(3);
      writeFileSync(log, line(4));
      await got.until(4);
      writeFileSync(log, "no time in this line, 1234567\n");
      await got.until(5);
      writeFileSync(log, "no time in this line, 1234567\nno time in this line, 1234567\n".slice(30));
      await sleep(30);
      writeFileSync(log, "");
      await sleep(30);
      writeFileSync(log, "no time in this line, 1234567\n");
      await got.until(6);
    });
    expect(read.slice(0, 4)).toEqual(["01", "02", "03", "04"]);
    expect(read.length).toBeGreaterThanOrEqual(6);
  });
});
