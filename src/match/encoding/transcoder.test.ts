import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileFilter } from "../filter/filter.ts";
import { createMatcher } from "../matcher.ts";
import { parseTimeZone } from "../time/time-zone.ts";
import { ENCODINGS, highBytes } from "./encodings.ts";
import { Transcoder } from "./transcoder.ts";

const batch = (bytes: Buffer, start = 0, end = bytes.length) => ({ bytes, start, end, backlog: false });

function inUtf8(encoding: (typeof ENCODINGS)[number], bytes: Buffer, long?: number): Buffer {
  const high = highBytes(encoding);
  if (high === null) return bytes;
  const out = new Transcoder(high, long).of(batch(bytes));
  return out.bytes.subarray(out.start, out.end);
}

describe("lines in another encoding", () => {
  it("become UTF-8", () => {
    const line = (text: string, encoding: BufferEncoding = "latin1") => Buffer.from(text, encoding);
    expect(String(inUtf8("latin-1", line("\xc9chec pour 192.0.2.1\n")))).toBe("Échec pour 192.0.2.1\n");
    expect(String(inUtf8("iso-8859-15", line("\xa4\n")))).toBe("€\n");
    expect(String(inUtf8("windows-1252", line("\x80\x93\n")))).toBe("€“\n");
    expect(String(inUtf8("windows-1251", line("\xd1\xe1\xee\xe9\n")))).toBe("Сбой\n");
    expect(String(inUtf8("koi8-r", line("\xf3\xc2\xcf\xca\n")))).toBe("Сбой\n");
    expect(highBytes("utf-8")).toBeNull();
  });

  it("are decoded as a decoder does, whatever the bytes and the place in the buffer", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ENCODINGS),
        fc.uint8Array({ maxLength: 60 }),
        fc.nat(5),
        (encoding, some, offset) => {
          const high = highBytes(encoding);
          if (high === null || encoding === "windows-1252") return;
          const bytes = Buffer.concat([Buffer.alloc(offset, 0xe9), some, Buffer.from("\n")]);
          const out = new Transcoder(high).of(batch(bytes, offset));
          const rest = bytes.subarray(offset);
          const expected =
            encoding === "latin-1" ? rest.toString("latin1") : new TextDecoder(encoding).decode(rest);
          expect(out.bytes.toString("utf8", out.start, out.end)).toBe(expected.replace(/^\uFEFF/, ""));
        },
      ),
    );
  });

  it("match patterns with other letters than ASCII", () => {
    const { filter } = compileFilter({
      name: "acces",
      failregex: ["^Échec de l'accès depuis <HOST>$"],
      ignoreregex: [],
      goodregex: [],
    });
    const context = { now: 0, zone: parseTimeZone("UTC")! };
    const matches = (bytes: Buffer): number => {
      let found = 0;
      createMatcher([filter!]).scan(batch(bytes), context, () => found++);
      return found;
    };
    const line = "Échec de l'accès depuis 192.0.2.1\n";
    const latin = Buffer.from(line, "latin1");
    expect([matches(Buffer.from(line)), matches(latin), matches(inUtf8("latin-1", latin))]).toEqual([
      1, 0, 1,
    ]);
  });

  it("in ASCII are passed on as they are", () => {
    const high = highBytes("latin-1")!;
    const one = batch(Buffer.from("plain\n"));
    expect(new Transcoder(high).of(one)).toBe(one);
  });

  it("keep their length when they may be cut, so that the cut is seen", () => {
    const text = `\xe9\n${"\xe9".repeat(9)}\n\xe9${"a".repeat(8)}\n`;
    expect(String(inUtf8("latin-1", Buffer.from(text, "latin1"), 9))).toBe(
      `é\n${"?".repeat(9)}\n?${"a".repeat(8)}\n`,
    );
  });
});
