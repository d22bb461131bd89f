import { describe, expect, it } from "vitest";
import type { LineBatch } from "../../core/batch.ts";
import { type PlainBatch, PlainLines, plainLine } from "./plain-lines.ts";

const TIME = '"time":"2026-11-20T14:44:48.123456789Z"}';

/** A line of Docker's json-file driver, escaped as Go does it. */
function docker(text: string, stream = "stderr"): string {
  const json = JSON.stringify(text).replace(/[<>&]/g, (sign) => `\\u00${sign.charCodeAt(0).toString(16)}`);
  return `{"log":${json},"stream":"${stream}",${TIME}`;
}

function batchOf(lines: readonly string[], log?: object): LineBatch {
  const text = Buffer.from(`decoy\u001b[1m\n${lines.map((line) => `${line}\n`).join("")}tail`, "latin1");
  return {
    bytes: text,
    start: 10,
    end: text.length - 4,
    backlog: false,
    ...(log === undefined ? {} : { log }),
  };
}

function textOf({ bytes, start, end }: PlainBatch): string[] {
  return bytes.toString("latin1", start, end).split("\n").slice(0, -1);
}

function plain(lines: readonly string[]): string[] {
  return textOf(new PlainLines().of(batchOf(lines)));
}

describe("terminal colours", () => {
  it.each([
    ["\u001b[1;33mNOTICE\u001b[0m[1]: x", "NOTICE[1]: x"],
    ["\u001b[33mWARN\u001b[39;49m\u001b[K x", "WARN x"],
    ["\u001b[38:2::255:0:0mred\u001b(B\u001b[m", "red"],
    ["#033[1;33mNOTICE#033[0m: x", "NOTICE: x"],
    ["^[[1;33mNOTICE^[[0m: x", "NOTICE: x"],
    ["\u001b[\u001b[31mm", "\u001b[m"],
  ])("are taken out of %j", (line, text) => {
    expect(plain([line])).toEqual([text]);
    expect(plainLine(line).text).toBe(text);
  });

  it.each([
    "\u001b",
    "\u001b[",
    "\u001b[31",
    "\u001b[2J",
    "\u001b]0;x\u0007",
    "#033",
    "^[",
    "^[[31",
    "#033[31",
    "\u001b(",
    "\u001b(0",
  ])("are not %j, which stays", (line) => expect(plain([line])).toEqual([line]));

  it("are found behind many signs of the same kind", () => {
    expect(plain(["#".repeat(100), "#033[1mx"])).toEqual(["#".repeat(100), "x"]);
    expect(plain(["#".repeat(100), "#03"])).toEqual(["#".repeat(100), "#03"]);
  });

  it("changes only the lines that have them", () => {
    const batch = batchOf(["a", "\u001b[31mb\u001b[0m", "", "c"]);
    const lines = new PlainLines().of(batch);
    expect(textOf(lines)).toEqual(["a", "b", "", "c"]);
    expect([0, 2, 4, 5].map((at) => lines.originOf(at)?.line ?? null)).toEqual([
      null,
      "\u001b[31mb\u001b[0m",
      null,
      null,
    ]);
  });

  it("passes on a batch without them as it is", () => {
    const batch = batchOf(["a", "b"]);
    const { bytes, start, end } = new PlainLines().of(batch);
    expect([bytes, start, end]).toEqual([batch.bytes, batch.start, batch.end]);
    expect(bytes).toBe(batch.bytes);
  });
});

describe("a line of Docker's json-file driver", () => {
  it.each([
    ["plain\n", "plain"],
    ['with "quotes", \\ and <tags> & é\t\n', 'with "quotes", \\ and <tags> & é\t'],
    ["line end of Windows\r\n", "line end of Windows"],
    ["\u001b[1;33mNOTICE\u001b[0m\n", "NOTICE"],
    ["\n", ""],
  ])("holds the program's line: %j", (text, line) => {
    expect(plain([docker(text)])).toEqual([line]);
    expect(plainLine(docker(text)).text).toBe(line);
  });

  it("may have any escape of JSON, and gives UTF-8", () => {
    const line = `{"log":"\\u00e9\\u20ac\\ud83d\\ude00\\ud83d\\/\\b\\f\\n","stream":"stdout",${TIME}`;
    const utf8 = Buffer.concat([Buffer.from("é€😀"), Buffer.from([0xed, 0xa0, 0xbd]), Buffer.from("/\b\f")]);
    expect(plain([line])).toEqual([utf8.toString("latin1")]);
  });

  it("may have labels", () => {
    const line = `{"log":"x\\n","stream":"stdout","attrs":{"a":"}\\"","b":""},${TIME}`;
    expect(plain([line])).toEqual(["x"]);
  });

  it("keeps the line of the log and Docker's time", () => {
    const line = docker("x\n");
    const lines = new PlainLines().of(batchOf([line, "y"]));
    expect(lines.originOf(0)).toEqual({ line, time: "2026-11-20T14:44:48.123456789Z", isPiece: false });
    expect(lines.originOf(2)).toBeNull();
  });

  it.each([
    ['{"log":"x\\n","stream":"stdin",' + TIME],
    ['{"log":"x\\n",' + TIME],
    ['{"log":"x\\n","stream":"stdout",' + TIME + " "],
    ['{"log":"a\\nb\\n","stream":"stdout",' + TIME],
    ['{"log":"\\x41\\n","stream":"stdout",' + TIME],
    ['{"log":"\\u00g0\\n","stream":"stdout",' + TIME],
    ['{"log":"never ends'],
    ['{"log":"never ends\\'],
    ['{"level":"x"}'],
  ])("is not %s", (line) => expect(plain([line])).toEqual([line]));

  it("is found when the first line of the batch is torn", () => {
    expect(plain(['n","stream":"stdout"}', docker("x\n")])).toEqual(['n","stream":"stdout"}', "x"]);
  });

  it("is nothing when it continues a long line: an attacker chooses where the piece begins; the first is a cut line", () => {
    const [one, other] = [{}, {}];
    const lines = new PlainLines();
    const of = (log: object, ...texts: [text: string, stream: string][]): string[] =>
      textOf(
        lines.of(
          batchOf(
            texts.map(([text, stream]) => docker(text, stream)),
            log,
          ),
        ),
      );
    expect(of(one, ["first", "stdout"], ["a\n", "stderr"])).toEqual(["first", "a"]);
    const pieces = lines.of(batchOf([docker("first", "stdout"), docker("a\n", "stderr")], {}));
    expect([0, 6].map((at) => pieces.originOf(at)?.isPiece)).toEqual([true, false]);
    expect(of(other, ["b\n", "stdout"])).toEqual(["b"]);
    expect(of(one, ["second", "stdout"], ["last\n", "stdout"], ["c\n", "stdout"])).toEqual(["c"]);
  });
});

describe("a line of containerd or CRI-O", () => {
  const cri = (text: string, tag = "F", stream = "stderr"): string =>
    `2026-11-20T14:44:48.123456789Z ${stream} ${tag} ${text}`;

  it.each([
    [cri("plain"), "plain"],
    [cri(""), ""],
    [cri("line end of Windows\r"), "line end of Windows"],
    [cri("\u001b[1;33mNOTICE\u001b[0m"), "NOTICE"],
    [cri("x", "F:more:tags"), "x"],
    ["2026-11-20T14:44:48.5+01:00 stdout F x", "x"],
  ])("holds the program's line: %j", (line, text) => {
    expect(plain([line])).toEqual([text]);
    expect(plainLine(line).text).toBe(text);
  });

  it("keeps the line of the log and the runtime's time", () => {
    const lines = new PlainLines().of(batchOf([cri("x"), "y"]));
    expect(lines.originOf(0)).toEqual({
      line: cri("x"),
      time: "2026-11-20T14:44:48.123456789Z",
      isPiece: false,
    });
    expect(lines.originOf(2)).toBeNull();
  });

  it.each([
    "2026-11-20T14:44:48.123456789Z stdin F x",
    "2026-11-20T14:44:48.123456789Z stdout X x",
    "2026-11-20T14:44:48.123456789Z stdout F",
    "2026-11-20T14:44:48Z stdout F x",
    "2026-11-20 14:44:48.1Z stdout F x",
    " 2026-11-20T14:44:48.1Z stdout F x",
  ])("is not %s", (line) => expect(plain([line])).toEqual([line]));

  it("is nothing when it continues a long line: the first piece is a cut line", () => {
    const log = {};
    const lines = new PlainLines();
    const first = lines.of(batchOf([cri("first", "P"), cri("middle", "P"), cri("a", "F", "stdout")], log));
    expect(textOf(first)).toEqual(["first", "a"]);
    expect([0, 6].map((at) => first.originOf(at)?.isPiece)).toEqual([true, false]);
    expect(textOf(lines.of(batchOf([cri("last"), cri("b")], log)))).toEqual(["b"]);
  });
});
