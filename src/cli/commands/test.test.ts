import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../../test/support/run-cli.ts";
import type { TestReport } from "./test.ts";

let folder = "";
let log = "";

const LOG = [
  "Jan  2 03:04:05 host app[1]: refused 192.0.2.1",
  "Jan  2 03:04:06 host app[1]: refused 2001:db8::1",
  "Jan  2 03:04:06 host app[1]: message repeated 4 times: [ refused 192.0.2.1]",
  "no time: refused some.name.example",
  "Jan  2 03:04:07 host app[1]: welcome 192.0.2.9",
  "Jan  2 03:04:07 host app[1]: refused 192.0.2.7 in a test",
  "",
  "Jan  2 03:04:08 host app[1]: user \x1b[2J J\u00fcrgen",
  "Jan  2 03:04:09 host app[1]: the last line has no end",
].join("\n");

const FILTER = `
failregex:
  - 'app\\[\\d+\\]: never <HOST>'
  - 'refused <HOST>'
goodregex: 'welcome <HOST>$'
ignoreregex: 'in a test$'
`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stoplog-test-"));
  log = join(folder, "app.log");
  writeFileSync(log, LOG);
  writeFileSync(join(folder, "app.yaml"), FILTER);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function report(...line: readonly string[]): Promise<TestReport> {
  const { out, err } = await run(["test", ...line, "--json"]);
  expect(err).toBe("");
  return JSON.parse(out) as TestReport;
}

describe("stoplog test", () => {
  it("counts the matches of a filter file by pattern", async () => {
    expect(await report(join(folder, "app.yaml"), log)).toMatchObject({
      filter: "app",
      lines: 8,
      failureLines: 4,
      failures: 7,
      goodLines: 1,
      ignoredLines: 1,
      notedLines: 0,
      missedLines: 2,
      undated: 1,
      names: 1,
      cutLines: 0,
      patterns: [
        { list: "failregex", number: 1, pattern: "app\\[\\d+\\]: never <HOST>", lines: 0 },
        { list: "failregex", number: 2, pattern: "refused <HOST>", lines: 4 },
        { list: "goodregex", number: 1, pattern: "welcome <HOST>$", lines: 1 },
      ],
      missed: [
        "Jan  2 03:04:08 host app[1]: user \x1b[2J J\u00fcrgen",
        "Jan  2 03:04:09 host app[1]: the last line has no end",
      ],
      matched: [],
    });
  });

  it("shows the number of lines that --missed and --matched say, escaped for a terminal", async () => {
    const { out } = await run(["test", join(folder, "app.yaml"), log, "--missed", "1", "--matched", "1"]);
    expect(out).toContain("failregex 2: 192.0.2.1, ");
    expect(out).toContain("  Jan  2 03:04:05 host app[1]: refused 192.0.2.1\n");
    expect(out).toContain(
      "Missed, 1 of 2 lines:\n  Jan  2 03:04:08 host app[1]: user \\x1b[2J J\u00fcrgen\n",
    );
    expect(out).not.toMatch(/\x1b|the last line/);
  });

  it("prints a table, a summary and the speed", async () => {
    const { out } = await run(["test", join(folder, "app.yaml"), log, "--missed", "0"]);
    const lines = out.split("\n");
    expect(lines.slice(0, 8)).toEqual([
      "LINES  PATTERN",
      "    0  failregex 1  app\\[\\d+\\]: never <HOST>",
      "    4  failregex 2  refused <HOST>",
      "    1  goodregex 1  welcome <HOST>$",
      "",
      "8 lines: 4 failed (7 failures, some lines were repeated), 1 good, 1 ignored, 2 missed",
      "1 matched line without a readable time: counted as now",
      "1 matched line with a name instead of an address: counted only with usedns",
    ]);
    expect(lines[8]).toMatch(/^[\d,]+ lines\/s$/);
  });

  it("accepts a regular expression, with a tag or a group named host", async () => {
    expect(await report("welcome <HOST>", log)).toMatchObject({ failureLines: 1, missedLines: 7 });
    expect(await report("welcome (?P<host>\\S+)", log)).toMatchObject({ failureLines: 1, missedLines: 7 });
    expect(await report("welcome (?<host>\\S+)", log)).toMatchObject({ failureLines: 1, missedLines: 7 });
  });

  it("accepts a name from the library, several logs, and - for standard input", async () => {
    const line = "Jan  2 03:04:05 host sshd[1]: Failed password for root from 192.0.2.1 port 22 ssh2";
    const { status, out } = await run(["test", "sshd", log, "-", "--json"], {
      stdin: `${line}\r\n${line}\n`,
    });
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ filter: "sshd", lines: 10, failureLines: 2, missedLines: 8 });
  });

  it("exits with 1 when nothing matched", async () => {
    expect((await run(["test", "nowhere <HOST>", log])).status).toBe(1);
    expect((await run(["test", "sshd", "-"], { stdin: "" })).status).toBe(1);
  });

  it("reads bytes that are not text, and cuts and counts lines that are too long", async () => {
    const noise = Buffer.concat([
      Buffer.alloc(200_000, 0xff),
      Buffer.from("\n\x00\xff refused 192.0.2.1\n", "latin1"),
    ]);
    const { out } = await run(["test", "refused <HOST>", "-", "--missed", "0"], { stdin: noise });
    expect(out).toContain("2 lines: 1 failed, 0 good, 0 ignored, 1 missed\n");
    expect(out).toContain("1 line cut at 131072 bytes\n");
  });

  it("reports an invalid filter, file or number", async () => {
    const sentence = async (...line: string[]): Promise<string> => {
      const { status, err } = await run(["test", ...line]);
      expect(status).toBe(2);
      return err;
    };
    expect(await sentence("sshdd", log)).toMatch(/^Cannot use filter sshdd: .*sshd/);
    expect(await sentence("(<HOST>", log)).toMatch(/^Cannot use the pattern: failregex 1: /);
    expect(await sentence("from <HOST", log)).toBe(
      "Cannot use the pattern: failregex 1: has no <HOST>: it does not say which address to ban\n",
    );
    expect(await sentence("(?<client>\\S+) failed", log)).toMatch(
      /^Cannot use the pattern: failregex 1: has no <HOST>/,
    );
    expect(await sentence("<NOPE> of <HOST>", log)).toMatch(/failregex 1: unknown tag <NOPE> \(/);
    expect(await sentence("", log)).toBe(
      "Cannot test: the filter is empty; give a name from the library, a file or a regular expression with <HOST>\n",
    );
    const config = join(folder, "stoplog.yaml");
    writeFileSync(
      config,
      "sources: { a: { type: file, path: /x } }\njails:\n  door: { sources: [a], filter: { failregex: 'refused <HOST>' } }\n",
    );
    expect(await sentence("-c", config, "dor", log)).toBe(
      "Cannot test: jail dor does not exist (did you mean door?); there is door\n",
    );
    const { out } = await run(["test", "-c", config, "door", "-"], { stdin: "refused 192.0.2.1\n" });
    expect(out).toContain("1 line: 1 failed");
    expect(await sentence("sshd", join(folder, "none"))).toBe(
      `Cannot read ${join(folder, "none")}: no such file or directory\n`,
    );
    expect(await sentence("sshd", folder)).toBe(`Cannot read ${folder}: it is a directory\n`);
    expect(await sentence("sshd", log, "--missed", "-3")).toMatch(/must be a whole number\n$/);
  });

  it("reads lines as the sources of the jail do: their longest line, where they are cut, their time zone", async () => {
    const config = join(folder, "lines.yaml");
    writeFileSync(
      config,
      `sources: { a: { type: file, path: /x, max_line: 300, cut_lengths: [1024], timezone: "+05:00" } }
jails: { door: { sources: [a], filter: { failregex: 'refused <HOST>$' } } }
`,
    );
    const date = "2026-11-20 12:00:00 app: ";
    const tried = async (line: string): Promise<TestReport> => {
      const { out } = await run(["test", "-c", config, "door", "-", "--matched", "1", "--json"], {
        stdin: line,
      });
      return JSON.parse(out) as TestReport;
    };
    const whole = await tried(`${date}refused 192.0.2.1\n`);
    expect([whole.failureLines, whole.matched[0]?.at]).toEqual([1, "2026-11-20T07:00:00.000Z"]);
    const long = await tried(`${date}${"x".repeat(400)} refused 192.0.2.1\n`);
    expect([long.failureLines, long.cutLines, long.maxLine]).toEqual([0, 1, 300]);
  });

  it("unpacks what gzip compressed, and refuses UTF-16", async () => {
    const text = "refused 192.0.2.1\n".repeat(200_000);
    writeFileSync(join(folder, "log.gz"), gzipSync(text));
    expect(await report("refused <HOST>$", join(folder, "log.gz"))).toMatchObject({ failureLines: 200_000 });
    const torn = gzipSync(text).subarray(0, 300);
    writeFileSync(join(folder, "torn.gz"), torn);
    const { err } = await run(["test", "refused <HOST>$", join(folder, "torn.gz")]);
    expect(err).toMatch(/^Cannot read \S+torn\.gz: .*unexpected end/);
    writeFileSync(join(folder, "utf16.log"), Buffer.from(`\ufeff${text.slice(0, 100)}`, "utf16le"));
    expect((await run(["test", "refused <HOST>$", join(folder, "utf16.log")])).err).toContain("it is UTF-16");
  });
});
