import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTimestamp } from "./read-timestamp.ts";
import { fixedZone, parseTimeZone } from "./time-zone.ts";

const utc = fixedZone(0);
const NOW = Date.parse("2026-11-20T15:00:00Z");

function read(line: string, now: string | number = NOW, zone = utc): string | null {
  const instant = readTimestamp(line, typeof now === "number" ? now : Date.parse(now), zone);
  return instant === null ? null : new Date(instant).toISOString();
}

describe("the shapes of dates", () => {
  it.each([
    ["Nov 20 14:44:48 box sshd[1]: x", "2026-11-20T14:44:48.000Z"],
    ["Nov  2 04:44:48 box sshd[1]: x", "2026-11-02T04:44:48.000Z"],
    ["Nov 2 4:44:48 box sshd[1]: x", "2026-11-02T04:44:48.000Z"],
    ["Nov 20 14:44:48.123 box sshd[1]: x", "2026-11-20T14:44:48.123Z"],
    ["<38>Nov 20 14:44:48 box sshd[1]: x", "2026-11-20T14:44:48.000Z"],
    ["Nov 20 2025 14:44:48: %ASA-6-x", "2025-11-20T14:44:48.000Z"],
    ["Nov 20 14:44:48 1984: a program called after a book", "2026-11-20T14:44:48.000Z"],
    ["Fri Nov 20 14:44:48 2026 x", "2026-11-20T14:44:48.000Z"],
    ["[Fri Nov 20 14:44:48.123456 2026] [core:error] x", "2026-11-20T14:44:48.123Z"],
    ["Fri, 20 Nov 2026 14:44:48 GMT x", "2026-11-20T14:44:48.000Z"],
    ["2026-11-20T14:44:48.123456+01:00 box x", "2026-11-20T13:44:48.123Z"],
    ["2026-11-20T14:44:48Z x", "2026-11-20T14:44:48.000Z"],
    ["<38>1 2026-11-20T14:44:48.5-0530 box x", "2026-11-20T20:14:48.500Z"],
    ["2026-11-20 14:44:48,123 x", "2026-11-20T14:44:48.123Z"],
    ["2026-11-20 14:44:48.123 UTC [17] FATAL: x", "2026-11-20T14:44:48.123Z"],
    ["2026-11-20 14:44:48.123 CET [17] FATAL: x", "2026-11-20T14:44:48.123Z"],
    ["2026-11-20T14:44:48.123456Z 5 [Note] Access denied", "2026-11-20T14:44:48.123Z"],
    ["261120 14:44:48 [Warning] Access denied", "2026-11-20T14:44:48.000Z"],
    ["261120  4:44:48 [Warning] Access denied", "2026-11-20T04:44:48.000Z"],
    ["2026/11/20 14:44:48 [error] 17#17: x", "2026-11-20T14:44:48.000Z"],
    ["20261120T144448Z x", "2026-11-20T14:44:48.000Z"],
    ["20-Nov-2026 14:44:48.123 client x", "2026-11-20T14:44:48.123Z"],
    ["20 Nov 2026 14:44:48.123 # x", "2026-11-20T14:44:48.123Z"],
    ["20-11-2026 14:44:48 x", "2026-11-20T14:44:48.000Z"],
    ["2026.11.20 14:44:48 x", "2026-11-20T14:44:48.000Z"],
    ["[20/Nov/2026:14:44:48 +0100] x", "2026-11-20T13:44:48.000Z"],
    ['192.0.2.7 - - [20/Nov/2026:14:44:48 +0000] "GET / HTTP/1.1" 200', "2026-11-20T14:44:48.000Z"],
    ["1795185888 x", "2026-11-20T14:44:48.000Z"],
    ["1795185888.123456 x", "2026-11-20T14:44:48.123Z"],
    ["[1795185888.5] x", "2026-11-20T14:44:48.500Z"],
    ["@400000006a1fa7da1dcd6500 x", "2026-06-03T04:04:32.500Z"],
    ["type=USER_LOGIN msg=audit(1795185888.123:42): pid=1", "2026-11-20T14:44:48.123Z"],
  ])("%s", (line, instant) => {
    expect(read(line)).toBe(instant);
    expect(readTimestamp(Buffer.from(line), NOW, utc)).toBe(Date.parse(instant));
  });

  it.each([
    "",
    "no date here",
    "Nov",
    "Nov 20",
    "Nov 20 14:44",
    "Nov 31 14:44:48 box x",
    "Nov 20 24:44:48 box x",
    "Nov 20 14:60:48 box x",
    "Foo 20 14:44:48 box x",
    "2026-13-20T14:44:48Z x",
    "2026-02-29T14:44:48Z x",
    "2026-11-20T14:44:4 x",
    "0026-11-20T14:44:48Z x",
    "179518588 x",
    "17951858881 x",
    "[  123.456] IN=eth0",
    "<999999>x",
    "type=USER_LOGIN acct=(1) msg=audit(1795185888.123:42)",
    "\xff\xfe\x00",
  ])("finds no date in '%s'", (line) => {
    expect(read(line)).toBeNull();
  });

  it("reads a leap second as the first of the next minute", () => {
    expect(read("2016-12-31T23:59:60Z x")).toBe("2017-01-01T00:00:00.000Z");
  });
});

describe("a date like the last line's", () => {
  const ends = [
    "",
    " ",
    " 2026",
    " 2025 x",
    " 20261",
    ".5",
    "5",
    " +01:00",
    " +01:0",
    "+0100 box",
    "Z",
    " UTC",
    " UTCx",
    " box x",
  ];
  const starts = [
    "Nov 20 14:44:48",
    "Nov 20 14:44:4",
    "2026-11-20T14:44:48",
    "[20/Nov/2026:14:44:48",
    "1795185888",
    "261120 14:44:48",
  ];
  const line = fc
    .tuple(
      fc.constantFrom("", "<38>", "["),
      fc.constantFrom(...starts),
      fc.constantFrom(...ends),
      fc.constantFrom("", "]", " box sshd[1]: x"),
    )
    .map((parts) => parts.join(""));

  it("is read as if it were the first line", () => {
    fc.assert(
      fc.property(line, line, (first, second) => {
        const fresh = readTimestamp(second, NOW, fixedZone(0));
        readTimestamp(first, NOW, utc);
        expect(readTimestamp(second, NOW, utc)).toBe(fresh);
      }),
      { numRuns: 3000 },
    );
  });

  it("is read again at another time or zone", () => {
    const text = "Nov 22 14:00:00 a host with a name";
    expect(read(text)).toBe("2025-11-22T14:00:00.000Z");
    expect(read(text, "2026-11-22T14:00:00Z")).toBe("2026-11-22T14:00:00.000Z");
    expect(read(text, "2026-11-22T14:00:00Z", fixedZone(60))).toBe("2026-11-22T13:00:00.000Z");
  });
});

describe("dates that an attacker writes", () => {
  it("do not count in a request, a user name or a message", () => {
    expect(read("GET /2020-01-01T00:00:00Z HTTP/1.1")).toBeNull();
    expect(read("login failed: user 2020-01-01 00:00:00")).toBeNull();
    expect(
      read('192.0.2.7 - a [01/Jan/2020:00:00:00 +0000] [20/Nov/2026:14:44:48 +0000] "GET / HTTP/1.1" 404'),
    ).toBe("2026-11-20T14:44:48.000Z");
    expect(
      read('192.0.2.7 - - [20/Nov/2026:14:44:48 +0000] "GET /[01/Jan/2020:00:00:00 +0000] "x" HTTP/1.1" 404'),
    ).toBe("2026-11-20T14:44:48.000Z");
  });
});

describe("a date without a year", () => {
  it("is of last year when this year would put it more than a day ahead", () => {
    expect(read("Dec 31 23:59:58 x", "2027-01-01T00:00:03Z")).toBe("2026-12-31T23:59:58.000Z");
    expect(read("Nov 22 14:00:00 x")).toBe("2025-11-22T14:00:00.000Z");
    expect(read("Nov 21 14:00:00 x")).toBe("2026-11-21T14:00:00.000Z");
  });

  it("is of next year when a clock runs ahead on New Year's Eve", () => {
    expect(read("Jan  1 00:00:03 x", "2026-12-31T23:59:58Z")).toBe("2027-01-01T00:00:03.000Z");
    expect(read("Jan  3 00:00:03 x", "2026-12-31T23:59:58Z")).toBe("2026-01-03T00:00:03.000Z");
  });

  it("takes the year of the zone, not of UTC", () => {
    const auckland = parseTimeZone("Pacific/Auckland")!;
    expect(read("Jan  1 09:00:00 x", "2026-12-31T20:00:05Z", auckland)).toBe("2026-12-31T20:00:00.000Z");
  });

  it("takes February 29 of the last leap year", () => {
    expect(read("Feb 29 12:00:00 x", "2028-02-29T12:00:05Z")).toBe("2028-02-29T12:00:00.000Z");
    expect(read("Feb 29 12:00:00 x")).toBe("2024-02-29T12:00:00.000Z");
    expect(read("Feb 29 12:00:00 x", "2028-01-01T00:00:00Z")).toBe("2024-02-29T12:00:00.000Z");
  });
});

describe("the clock's changes", () => {
  const berlin = parseTimeZone("Europe/Berlin")!;

  it("read summer and winter by their own offsets", () => {
    expect(read("2026-07-01 12:00:00 x", NOW, berlin)).toBe("2026-07-01T10:00:00.000Z");
    expect(read("2026-11-20 12:00:00 x", NOW, berlin)).toBe("2026-11-20T11:00:00.000Z");
  });

  it("read the hour that does not exist by the offset from before", () => {
    expect(read("2026-03-29 01:59:59 x", "2026-03-29T01:00:00Z", berlin)).toBe("2026-03-29T00:59:59.000Z");
    expect(read("2026-03-29 02:30:00 x", "2026-03-29T01:30:00Z", berlin)).toBe("2026-03-29T01:30:00.000Z");
    expect(read("2026-03-29 03:00:00 x", "2026-03-29T01:00:00Z", berlin)).toBe("2026-03-29T01:00:00.000Z");
  });

  it("read the hour that exists twice as the one that is now", () => {
    const line = "Oct 25 02:30:00 x";
    expect(read(line, "2026-10-25T00:30:02Z", berlin)).toBe("2026-10-25T00:30:00.000Z");
    expect(read(line, "2026-10-25T01:30:02Z", berlin)).toBe("2026-10-25T01:30:00.000Z");
    expect(read("Oct 25 03:00:00 x", "2026-10-25T02:00:02Z", berlin)).toBe("2026-10-25T02:00:00.000Z");
  });

  it("handle changes by half an hour", () => {
    const lordHowe = parseTimeZone("Australia/Lord_Howe")!;
    expect(read("2026-04-05 01:45:00 x", "2026-04-04T14:45:01Z", lordHowe)).toBe("2026-04-04T14:45:00.000Z");
    expect(read("2026-04-05 01:45:00 x", "2026-04-04T15:15:01Z", lordHowe)).toBe("2026-04-04T15:15:00.000Z");
    expect(read("2026-04-05 02:00:00 x", "2026-04-04T16:15:01Z", lordHowe)).toBe("2026-04-04T15:30:00.000Z");
  });
});
