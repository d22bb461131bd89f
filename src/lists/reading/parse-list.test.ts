import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress } from "../../core/address.ts";
import { addressIn } from "../../core/ranges.ts";
import { atOnce } from "../../core/turns.ts";
import { networks, parse, parseWith } from "../../../test/support/parsed-list.ts";
import { DEFAULT_BOUNDS, type ListBounds, ListParser, type ParsedList } from "./parse-list.ts";

describe("ListParser", () => {
  it("reads addresses and networks with comments, in Spamhaus' and FireHOL's shape", () => {
    const list = parse(
      "# a comment",
      "; Spamhaus DROP List 2026/05/01",
      "192.0.2.0/25 ; SBL123",
      "198.51.100.7",
      "  203.0.113.9\t# seen yesterday\r",
      "2001:db8:1::/48",
      "",
      "2001:DB8::1",
      "203.0.113.16/255.255.255.240",
    );
    expect(networks(list)).toEqual([
      "192.0.2.0/25",
      "198.51.100.7",
      "203.0.113.9",
      "203.0.113.16/28",
      "2001:db8::1",
      "2001:db8:1::/48",
    ]);
    expect(list.remarks.counts).toEqual({ malformed: 0, wide: 0, masked: 0 });
  });

  it("reads ranges and DShield's columns", () => {
    const list = parse(
      "192.0.2.4-192.0.2.7",
      "192.0.2.9 - 192.0.2.9",
      "2001:db8::-2001:db8::f",
      "198.51.100.0\t198.51.100.255\t24\t1234\tSOMEONE\tZZ\tabuse@example.org",
    );
    expect(networks(list)).toEqual(["192.0.2.4/30", "192.0.2.9", "198.51.100.0/24", "2001:db8::/124"]);
  });

  it("reads JSON lines, and skips Spamhaus' metadata", () => {
    const list = parse(
      '{"cidr":"192.0.2.0/24","sblid":"SBL1","rir":"arin"}',
      '{"ip":"198.51.100.1"},',
      '{"prefix": "2001:db8::/32"}',
      '{"type":"metadata","timestamp":1780000000,"size":3,"records":3,"copyright":"(c)","terms":"https://example.org"}',
    );
    expect(networks(list)).toEqual(["192.0.2.0/24", "198.51.100.1", "2001:db8::/32"]);
    expect(list.remarks.counts.malformed).toBe(0);
  });

  it.each([
    ["192.0.2", "is not an address or network"],
    ["192.0.2.256", "is not an address or network"],
    ["192.0.2.010", "is not an address or network"],
    ["192.0.2.0/33", "is not an address or network"],
    ["192.0.2.0/", "is not an address or network"],
    ["2001:db8::1%eth0", "is not an address or network"],
    ["example.org", "is not an address or network"],
    ["127.0.0.1 ads.example.org", "has more than an address"],
    ["192.0.2.9-192.0.2.1", "ends before it begins"],
    ["192.0.2.9-2001:db8::", "is not a range of addresses"],
    ["192.0.2.0 192.0.2.255 25 9", "says one end by its length and another in so many words"],
    ["192.0.2.0 192.0.2.255 133", "has a length over 32"],
    ['{"cidr":"192.0.2.0/24"', "is not JSON"],
    ['{"asn":64496}', "has none of cidr, ip, address, network, prefix, ipAddress, value"],
    ['{"cidr":"none"}', "is not an address or network"],
    ["<html>", "is not an address or network"],
  ])("names the line %s", (line, fact) => {
    const list = parse("192.0.2.1", line, "192.0.2.2");
    expect(list.remarks.told).toEqual([{ line: 2, text: line, fact }]);
    expect(list.remarks.counts.malformed).toBe(1);
    expect(networks(list)).toEqual(["192.0.2.1", "192.0.2.2"]);
  });

  it("skips networks that are too wide, and reports them", () => {
    const wide = [
      "0.0.0.0/0",
      "10.0.0.0/7",
      "0.0.0.0-255.255.255.255",
      "::/0",
      "2000::/3",
      "2001::-2002:1::",
    ];
    const list = parse(...wide, "44.0.0.0/8", "2001::/16");
    expect(list.remarks.told.map(({ text }) => text)).toEqual(wide);
    expect(list.remarks.told[0]?.fact).toBe("is wider than a /8, and was not taken");
    expect(list.remarks.counts).toEqual({ malformed: 0, wide: 6, masked: 0 });
    expect(networks(list)).toEqual(["44.0.0.0/8", "2001::/16"]);
  });

  it("clears host bits, and reports it", () => {
    const list = parse("192.0.2.77/24", "2001:db8::1/32");
    expect(networks(list)).toEqual(["192.0.2.0/24", "2001:db8::/32"]);
    expect(list.remarks.told[0]).toEqual({
      line: 1,
      text: "192.0.2.77/24",
      fact: "has host bits, which were cleared",
    });
    expect(list.remarks.counts.masked).toBe(2);
  });

  it("keeps a few remarks of each kind, and counts all [limit: listRemarks]", () => {
    const list = parse(...Array.from({ length: 100 }, (_, i) => `junk ${i}`));
    expect(list.remarks.counts.malformed).toBe(100);
    expect(list.remarks.told).toHaveLength(DEFAULT_BOUNDS.remarks);
  });

  it("escapes control characters of a line, and shortens a long one", () => {
    const { told } = parse(`\x1b[2J${"x".repeat(100)}`).remarks;
    expect(told[0]?.text).toBe(`\\x1b[2J${"x".repeat(52)}…`);
  });

  it("skips a line that is too long, in one or several pieces, and continues after it [limit: listLineBytes]", () => {
    const long = `192.0.2.1 ${"9".repeat(20_000)}`;
    for (const size of [100_000, 1000, 7]) {
      const list = inPieces(["192.0.2.7", long, "192.0.2.8", "junk"].join("\n"), size);
      expect(list.remarks.told.map(({ line }) => line)).toEqual([2, 4]);
      expect(list.remarks.told[0]?.fact).toBe("is longer than 8192 bytes");
      expect(list.remarks.counts.malformed).toBe(2);
      expect(networks(list)).toEqual(["192.0.2.7", "192.0.2.8"]);
    }
  });

  it("reads as many entries as its bound allows [limit: listEntries]", () => {
    const bounds: ListBounds = { ...DEFAULT_BOUNDS, entries: 3 };
    const list = parseWith(bounds, "192.0.2.1\n2001:db8::1\n192.0.2.3\n192.0.2.5\n2001:db8::5\n");
    expect(networks(list)).toEqual(["192.0.2.1", "192.0.2.3", "2001:db8::1"]);
    expect(list.over).toBe(2);
  });

  it("names the file when there are several", () => {
    const parser = new ListParser();
    for (const name of ["a.txt", "b.txt"]) {
      parser.beginFile(name);
      atOnce(parser.push(Buffer.from("192.0.2.1\njunk")));
      parser.endFile();
    }
    expect(parser.remarks.told).toEqual([
      { file: "a.txt", line: 2, text: "junk", fact: "is not an address or network" },
      { file: "b.txt", line: 2, text: "junk", fact: "is not an address or network" },
    ]);
  });

  it("reads the same however the bytes are split, and does not throw", () => {
    const lines = fc.array(
      fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        fc.tuple(fc.ipV4(), fc.nat(40)).map(([ip, length]) => `${ip}/${length}`),
        fc.string({ unit: "binary", maxLength: 40 }),
        fc.constantFrom(
          "\ufeff192.0.2.1",
          "192.0.2.1-192.0.2.2",
          '{"ip":"192.0.2.1"}',
          "{",
          "-",
          "/",
          "#",
          " ; ",
        ),
      ),
    );
    fc.assert(
      fc.property(lines, fc.integer({ min: 1, max: 50 }), (some, size) => {
        const text = some.join("\n");
        const whole = parse(text);
        const pieces = inPieces(text, size);
        expect(pieces.v4.bounds).toEqual(whole.v4.bounds);
        expect(pieces.v6.bounds).toEqual(whole.v6.bounds);
        expect(pieces.remarks).toEqual(whole.remarks);
      }),
    );
  });

  it("reads the same from the bytes as from the text", () => {
    const digit = fc.constantFrom(..."0123456789./ #x".split(""));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.ipV4(),
          fc.array(digit, { maxLength: 12 }).map((a) => a.join("")),
        ),
        fc.nat(34),
        (ip, n) => {
          for (const text of [ip, `${ip}/${n}`]) {
            // With a leading blank the line is read as text.
            const [fast, slow] = [parse(text), parse(` ${text}`)];
            expect(fast.v4.bounds).toEqual(slow.v4.bounds);
            expect(fast.remarks.counts).toEqual(slow.remarks.counts);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("reports and skips each of a thousand malformed lines", () => {
    const { lines, spoilt } = spoiltList(1000);
    const list = parseWith({ ...DEFAULT_BOUNDS, remarks: 1000 }, lines.join("\n"));
    expect(list.remarks.counts.malformed).toBe(1000);
    expect(list.remarks.told.map(({ line }) => line)).toEqual(spoilt);
    expect(networks(list)).toHaveLength(1000);
  });
});

/** Good lines, each followed by one that is malformed in one of ten ways. */
function spoiltList(count: number): { lines: string[]; spoilt: number[] } {
  const ways: readonly ((ip: string, i: number) => string)[] = [
    (ip) => ip.slice(0, ip.lastIndexOf(".")),
    (ip, i) => ip.replace(/\d+$/, String(256 + i)),
    (ip, i) => `${ip}/${33 + (i % 60)}`,
    (ip) => `${ip}.1`,
    (ip) => ip.replace(".", ","),
    (ip) => `${ip}-`,
    (ip, i) => `${ip} is bad ${i}`,
    (ip) => `{"cidr":"${ip}`,
    (ip) => `0${ip}`,
    (ip) => `${ip.slice(0, 3)}\u0000${ip.slice(3)}`,
  ];
  const lines: string[] = [];
  const spoilt: number[] = [];
  for (let i = 0; i < count; i++) {
    // Not adjacent, so none are merged.
    const ip = formatAddress(addressIn({ words: 1 }, Uint32Array.of(0xc0000200 + i * 2), 0));
    lines.push(ip, ways[i % ways.length]!(ip, i));
    spoilt.push(lines.length);
  }
  return { lines, spoilt };
}

function inPieces(text: string, size: number): ParsedList {
  const parser = new ListParser();
  parser.beginFile();
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) atOnce(parser.push(bytes.subarray(at, at + size)));
  parser.endFile();
  return parser;
}
