import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LogStats, openLog } from "./log.ts";
import { RateLimit } from "./rate-limit.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "stoplog-log-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function logTo(
  path: string,
  format: "text" | "json",
): { stats: LogStats; say: (sentence: string) => void; close: () => void } {
  const stats: LogStats = { written: 0, lost: 0 };
  const fd = openSync(path, "w");
  const log = openLog({ level: "info", format, fd }, stats);
  return { stats, say: (sentence) => log.warn(sentence), close: () => closeSync(fd) };
}

describe("openLog()", () => {
  it("writes sentences for people", () => {
    const path = join(directory, "log");
    const { say, close } = logTo(path, "text");
    say("Cannot follow /var/log/auth.log: no such file or directory");
    close();
    expect(readFileSync(path, "utf8")).toMatch(
      /^\S+ warn {2}Cannot follow \/var\/log\/auth.log: no such file or directory\n$/,
    );
  });

  it("writes JSON for machines", () => {
    const path = join(directory, "log");
    const { say, close } = logTo(path, "json");
    say("A sentence");
    close();
    expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ level: "warn", msg: "A sentence" });
  });

  it("escapes what could move a terminal's cursor or end the line", () => {
    const path = join(directory, "log");
    const { say, close } = logTo(path, "text");
    say("a\x1b[2Jb\nc\u202ed");
    close();
    expect(readFileSync(path, "utf8")).toMatch(/ a\\x1b\[2Jb\\x0ac\\u202ed\n$/);
  });

  it("counts lines that a full disk refused, and continues", () => {
    const { stats, say, close } = logTo("/dev/full", "text");
    say("one");
    say("two");
    close();
    expect(stats).toEqual({ written: 0, lost: 2 });
  });
});

describe("RateLimit", () => {
  it("lets a number through in each period and reports how many it held back", () => {
    const limit = new RateLimit(2, 1000);
    expect([0, 1, 2, 3].map((now) => limit.allow(now))).toEqual([true, true, false, false]);
    expect([limit.takeHeld(), limit.takeHeld()]).toEqual([2, 0]);
    expect(limit.allow(1000)).toBe(true);
  });

  it("continues when the clock is set back", () => {
    const limit = new RateLimit(1, 1000);
    limit.allow(10_000);
    expect(limit.allow(5_000)).toBe(true);
  });
});
