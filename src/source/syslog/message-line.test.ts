import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newSourceStats } from "../source.ts";
import { LineStore } from "./line-store.ts";
import { MessageWriter } from "./message-line.ts";

/** The line of a message, and its full length. */
function written(message: string | Buffer, maxLine = 200): { line: string; length: number } {
  const bytes = Buffer.from(message as string);
  const to = Buffer.alloc(maxLine + 20, "#");
  const writer = new MessageWriter(Buffer.from("localhost"), maxLine);
  writer.aim(to, 10);
  const length = writer.write(bytes, 0, bytes.length);
  // The bytes around the line must be untouched.
  expect(to.toString("latin1", 0, 10) + to.toString("latin1", 10 + Math.min(length, maxLine))).toMatch(
    /^#+$/,
  );
  return { line: to.toString("latin1", 10, 10 + Math.min(length, maxLine)), length };
}

describe("a syslog message as a line", () => {
  it.each([
    // RFC 3164, 5.4
    [
      "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
      "Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
    ],
    ["Use the BFG!", "Use the BFG!"],
    [
      "<165>Aug 24 05:34:00 CST 1987 mymachine myproc[10]: %% It's time to make the do-nuts.",
      "Aug 24 05:34:00 CST 1987 mymachine myproc[10]: %% It's time to make the do-nuts.",
    ],
    // RFC 5424, 6.5
    [
      "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \ufeff'su root' failed for lonvick on /dev/pts/8",
      "2003-10-11T22:14:15.003Z mymachine.example.com su: 'su root' failed for lonvick on /dev/pts/8",
    ],
    [
      "<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
      "2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc[8710]: %% It's time to make the do-nuts.",
    ],
    [
      '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"] \ufeffAn application event log entry...',
      "2003-10-11T22:14:15.003Z mymachine.example.com evntslog: An application event log entry...",
    ],
    [
      '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3"][examplePriority@32473 class="high"]',
      "2003-10-11T22:14:15.003Z mymachine.example.com evntslog:",
    ],
  ])("follows the RFCs' examples: %s", (message, line) => {
    expect(written(message)).toEqual({ line, length: line.length });
  });

  it.each([
    [
      "a local sender's, without a host",
      "<34>Oct  1 22:14:15 sshd[7]: hi",
      "Oct  1 22:14:15 localhost sshd[7]: hi",
    ],
    [
      "a local one with an RFC 3339 time",
      "<34>2026-10-01T22:14:15.1+02:00 sshd: hi",
      "2026-10-01T22:14:15.1+02:00 localhost sshd: hi",
    ],
    [
      "rsyslog's own forward format",
      "<34>2026-10-01T22:14:15Z box sshd: hi",
      "2026-10-01T22:14:15Z box sshd: hi",
    ],
    ["one without a time", "<13>sshd[7]: hi", "sshd[7]: hi"],
    ["one of nothing but NILVALUEs", "<13>1 - - - - - - hi", "localhost -: hi"],
    [
      "rsyslog's RFC 5424, with a second space",
      "<13>1 2026-10-01T22:14:15Z h a - - -  hi",
      "2026-10-01T22:14:15Z h a: hi",
    ],
    ["a bracket within quotes", '<13>1 - h a - - [x y="]\\"] z"] hi', "h a: hi"],
    ["structured data without an end", '<13>1 - h a - - [x y="] hi', 'h a: [x y="] hi'],
    ["structured data that is none", "<13>1 - h a - - hi there", "h a: hi there"],
    ["too few fields", "<13>1 2026-10-01T22:14:15Z h a", "1 2026-10-01T22:14:15Z h a"],
    ["another version", "<13>2 - h a - - - hi", "2 - h a - - - hi"],
    ["a priority that is too high", "<192>x", "<192>x"],
    ["a priority of four digits", "<0013>x", "<0013>x"],
    ["a priority without an end", "<13", "<13"],
    ["a priority without a number", "<>x", "<>x"],
    ["a priority that is negative", "<-1>x", "<-1>x"],
    ["nothing but digits", "12345", "12345"],
    [
      "a second line that wants to be one",
      "<13>a: b\nOct 11 22:14:15 h sshd: c\r\n\0",
      "a: b Oct 11 22:14:15 h sshd: c",
    ],
    ["a NUL in the middle", "<13>a\0b", "a b"],
    ["nothing behind the priority", "<13>", ""],
    ["line ends only", "\r\n\0\n", ""],
  ])("takes %s", (_what, message, line) => {
    expect(written(message).line).toBe(line);
  });

  it("is truncated at any bound, and its full length is returned", () => {
    const message = "<34>1 2003-10-11T22:14:15.003Z box su 77 ID47 - text";
    const whole = "2003-10-11T22:14:15.003Z box su[77]: text";
    for (let maxLine = 1; maxLine <= whole.length + 1; maxLine++) {
      expect(written(message, maxLine)).toEqual({ line: whole.slice(0, maxLine), length: whole.length });
    }
  });

  it("never contains a line end and never overruns its buffer, for any input", () => {
    const pieces = fc.constantFrom(
      "<",
      ">",
      "34",
      "1 ",
      "-",
      " ",
      "[",
      "]",
      '"',
      "\\",
      ":",
      "\n",
      "\r",
      "\0",
      "Oct 11 22:14:15 ",
      "2003-10-11T22:14:15Z ",
      "\ufeff",
    );
    const hostile = fc.oneof(
      fc.array(pieces, { maxLength: 30 }).map((parts) => Buffer.from(parts.join(""))),
      fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
    );
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 60 }), (message, maxLine) => {
        const { line, length } = written(message, maxLine);
        expect(line).not.toMatch(/[\n\r\0]/);
        expect(length).toBeLessThanOrEqual(message.length + "localhost ".length);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("LineStore", () => {
  function store(capacity: number, maxLine = 100) {
    const stats = newSourceStats();
    const lines: string[] = [];
    const one = new LineStore(
      ({ bytes, start, end }) => lines.push(...bytes.toString("latin1", start, end - 1).split("\n")),
      stats,
      { maxLine, host: "localhost", capacity },
    );
    const add = (text: string) => one.add(Buffer.from(text), 0, text.length);
    return { one, stats, lines, add };
  }

  it("delivers in order, in few batches", () => {
    const { one, stats, lines, add } = store(1 << 22);
    for (let i = 0; i < 1000; i++) add(`<13>line ${i}`);
    add("");
    expect(one.deliver(Infinity)).toBe(true);
    expect(lines).toEqual(Array.from({ length: 1000 }, (_, i) => `line ${i}`));
    expect(stats).toMatchObject({ batches: 1, shed: 0, waitingBytes: 0 });
  });

  it.each([
    [
      "<34>Oct 11 22:14:15 a b: x\n<34>Oct 11 22:14:16 a c: y\n",
      ["Oct 11 22:14:15 a b: x", "Oct 11 22:14:16 a c: y"],
    ],
    ["Oct 11 22:14:15 a b: x\nOct 11 22:14:16 a c: y", ["Oct 11 22:14:15 a b: x", "Oct 11 22:14:16 a c: y"]],
    ["<13>b: x\n<13>c: y\n<13>d: z", ["b: x", "c: y", "d: z"]],
    ["<13>1 - h a - - - x\n<13>1 - h b - - - y", ["h a: x", "h b: y"]],
    ["<34>Oct 11 22:14:15 a b: x\nOct 11 22:14:16 a c: y", ["Oct 11 22:14:15 a b: x Oct 11 22:14:16 a c: y"]],
    ["<34>Oct 11 22:14:15 a b: x\n<34>c: y", ["Oct 11 22:14:15 a b: x <34>c: y"]],
    ["b: x\nc: y", ["b: x c: y"]],
    ["<13>b: x\n", ["b: x"]],
  ])("takes the messages of the datagram %j", (datagram, expected) => {
    const { one, lines } = store(1 << 20);
    const padded = Buffer.from(`\n${datagram}\n<13>not its own`);
    one.addDatagram(padded, 1, 1 + datagram.length);
    one.deliver(Infinity);
    expect(lines).toEqual(expected);
  });

  it("sheds the oldest lines when it is full, and counts every one [limit: syslogBytes]", () => {
    const { one, stats, lines, add } = store(1 << 18);
    for (let i = 0; i < 100_000; i++) add(`line ${i}`);
    expect(one.waiting).toBeLessThanOrEqual(1 << 18);
    one.deliver(Infinity);
    expect(lines.at(-1)).toBe("line 99999");
    expect(lines.length + stats.shed).toBe(100_000);
    expect(lines[0]).toBe(`line ${stats.shed}`);
  });

  it("stops at the deadline and continues in the next call", () => {
    const { one, lines, add } = store(1 << 20);
    for (let i = 0; i < 20_000; i++) add(`line ${i}`);
    expect(one.deliver(0)).toBe(false);
    expect(lines.length).toBeLessThan(20_000);
    while (!one.deliver(0));
    expect(lines.length).toBe(20_000);
  });

  it("counts truncated lines and their bytes", () => {
    const { one, stats, lines, add } = store(1 << 20, 5);
    add("1234567");
    one.deliver(Infinity);
    expect(lines).toEqual(["12345"]);
    expect(stats).toMatchObject({ cut: 1, shedBytes: 2 });
  });
});
