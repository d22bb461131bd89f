import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../core/limits.ts";
import { readPickle } from "./pickle-reader.ts";
import { writeFailure, writePickle } from "./pickle-writer.ts";
import { type Plain, Tuple } from "./plain.ts";

/** Runs a line of Python that prints bytes. */
const python = (line: string, input?: Buffer): Buffer =>
  execFileSync("python3", ["-c", `import pickle, sys, os, collections, decimal, datetime; ${line}`], {
    input,
    maxBuffer: 64 << 20,
  });
/** The pickles of a value in protocol 0 to 5, by one Python: its start takes longest. */
const dumped = (value: string): readonly Buffer[] =>
  python(`v = ${value}; print(*(pickle.dumps(v, n).hex() for n in range(6)))`)
    .toString()
    .trim()
    .split(" ")
    .map((hex) => Buffer.from(hex, "hex"));
const hasPython = ((): boolean => {
  try {
    python("pass");
    return true;
  } catch {
    return false;
  }
})();
const INTEGERS = [0, 1, 255, 256, -1, 65536, -(2 ** 31), 2 ** 31, 2 ** 53 - 1, -(2 ** 52)];
const hostile =
  (bytes: string): (() => Plain) =>
  () =>
    readPickle(Buffer.from(bytes, "latin1"));

describe.skipIf(!hasPython)("readPickle, with pickles of Python (needs python3)", () => {
  it("reads plain values in every protocol", () => {
    const value =
      '["set", "a\\n\\"\'\\\\ü€😀", "", 0, 1, 255, 256, -1, 65536, -2**31, 2**31, 2**53 - 1, -2**52, 0.5, -1e300, None, True, False, [], [1], (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), {}, {"a": [1], 2: None}, ["x", "x"]]';
    const expected = [
      "set",
      "a\n\"'\\ü€😀",
      "",
      ...INTEGERS,
      0.5,
      -1e300,
      null,
      true,
      false,
      [],
      [1],
      ...[[], [1], [1, 2], [1, 2, 3], [1, 2, 3, 4]].map((items) => new Tuple(items)),
      new Map(),
      new Map<string | number, Plain>([
        ["a", [1]],
        [2, null],
      ]),
      ["x", "x"],
    ];
    for (const bytes of dumped(value)) expect(readPickle(bytes)).toEqual(expected);
  });

  it("reads bytes from protocol 3 on: Python calls a function for them in the older ones", () => {
    const expected = [new Uint8Array([97, 98]), new Uint8Array(300).fill(120)];
    for (const bytes of dumped('[b"ab", b"x" * 300]').slice(3)) expect(readPickle(bytes)).toEqual(expected);
  });

  it.each([
    ["a function", "os.system"],
    ["a call", "collections.OrderedDict(a=1)"],
    ["an object", "decimal.Decimal(1)"],
    ["a time", "datetime.datetime(2026, 1, 1)"],
    ["a set", "{1, 2}"],
    ["a byte array", "bytearray(b'x')"],
    ["an exception", "ValueError(1)"],
  ])("refuses %s in every protocol", (_, value) => {
    for (const bytes of dumped(value))
      expect(() => readPickle(bytes)).toThrow(/^Cannot read the message: it holds something else/);
  });
});

describe("readPickle", () => {
  it("never names or calls anything", () => {
    expect(hostile("cos\nsystem\n(S'true'\ntR.")).toThrow("opcode 0x63");
    expect(hostile("\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.")).toThrow("opcode 0x93");
    expect(hostile("(ios\nsystem\n.")).toThrow("opcode 0x69");
    expect(hostile("Pid\n.")).toThrow("opcode 0x50");
    expect(hostile("\x80\x02\x82\x01.")).toThrow("opcode 0x82");
  });

  it("refuses what is not one whole pickle", () => {
    for (const bytes of [
      "",
      ".",
      "(.",
      "NN.",
      "N",
      "]a.",
      "e.",
      "h\x01.",
      "q\x01.",
      "I1",
      "X\xff\xff\xff\xffx.",
      "(Nd.",
    ])
      expect(hostile(bytes), JSON.stringify(bytes)).toThrow(/^Cannot read the message: /);
    expect(hostile("N.N.")).toThrow("bytes follow its end");
  });

  it("refuses a list that holds itself, or that is in two places", () => {
    expect(hostile("]q\x00h\x00a.")).toThrow("two places");
    expect(hostile("](]q\x00h\x00e.")).toThrow("two places");
  });

  it("refuses 33 levels, and marks without end", () => {
    expect(() => hostile(`${"]".repeat(33)}${"a".repeat(32)}.`)()).not.toThrow();
    expect(hostile(`${"]".repeat(34)}${"a".repeat(33)}.`)).toThrow("more than 32 levels");
    expect(hostile("(".repeat(1000))).toThrow("more than 32 levels");
  });

  it("refuses too many values", () => {
    expect(hostile(`](${"N".repeat(LIMITS.fail2banValues.value)}e.`)).toThrow("more than 200000 values");
  });

  it("refuses integers that a number cannot hold", () => {
    expect(hostile("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f.")).toThrow("larger than 2^53");
    expect(hostile("I99999999999999999999\n.")).toThrow("larger than 2^53");
  });
});

describe("writePickle", () => {
  const value: Plain = [
    "sshd ü",
    0,
    255,
    -1,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 53 - 1,
    -(2 ** 40),
    0.5,
    null,
    true,
    false,
    [],
    new Tuple([]),
    new Tuple([1, new Tuple([2])]),
    new Map([["sshd", ["192.0.2.1"]]]),
  ];

  it("is read back", () => expect(readPickle(writePickle(value))).toEqual(value));

  it.skipIf(!hasPython)("is read by Python (needs python3)", () => {
    const printed = python("print(repr(pickle.load(sys.stdin.buffer)))", writePickle(value));
    expect(printed.toString()).toBe(
      "['sshd ü', 0, 255, -1, 2147483647, 2147483648, 9007199254740991, -1099511627776, 0.5, None, True, False, [], (), (1, (2,)), {'sshd': ['192.0.2.1']}]\n",
    );
  });

  it.skipIf(!hasPython)("writes a failure that Python makes an exception of (needs python3)", () => {
    const failure = writeFailure({ type: "ValueError", args: ["not banned", 1] });
    expect(python("print(repr(pickle.load(sys.stdin.buffer)))", failure).toString()).toBe(
      "(1, ValueError('not banned', 1))\n",
    );
  });
});
