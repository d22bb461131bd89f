import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  clip,
  decodeLine,
  excerpt,
  excerptOfBytes,
  jsonText,
  printable,
  printableLine,
  printablePhrase,
} from "./printable.ts";

/** What a terminal obeys, reorders or does not draw, written out once more so that a slip in the code's own class is found. */
const OBEYED =
  /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\u{e0000}-\u{e0fff}]|[\ufe00-\ufe0f]|\u034f|\p{Cs}/u;

/** Text made of what attackers use, mixed with ordinary text. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: "binary", maxLength: 8 }),
      fc.constantFrom(
        "\x1b[2J",
        "\x9b31m",
        "\u202e",
        "\u2066",
        "\u2028",
        "\u200b",
        "\ud800",
        "\udc00",
        "\u{e0041}",
        "\u3164",
        "\r\n",
        "user",
        "\u{1f600}",
      ),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(""));

describe("printable()", () => {
  it("shows controls, escape sequences and bidi marks instead of passing them on", () => {
    expect(printable("a\x1b[31mb\r\n\x00\x7f")).toBe("a\\x1b[31mb\\x0d\\x0a\\x00\\x7f");
    expect(printable("\u009b2J \u202e1.2.0.291\u202c \u2066x\u2069 \u{e0041}")).toBe(
      "\\x9b2J \\u202e1.2.0.291\\u202c \\u2066x\\u2069 \\u{e0041}",
    );
  });

  it("leaves people's letters alone", () => {
    expect(printable("J\u00fcrgen \u4e2d\u6587 \u0639\u0631\u0628\u064a \u{1f600}")).toBe(
      "J\u00fcrgen \u4e2d\u6587 \u0639\u0631\u0628\u064a \u{1f600}",
    );
  });

  it("lets nothing through that a terminal obeys, whatever the text", () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(printable(text)).not.toMatch(OBEYED);
        // Nothing that is printable changes a second time.
        expect(printable(printable(text))).toBe(printable(text));
      }),
    );
  });

  it("spells out every code point that a terminal obeys or does not draw", () => {
    for (let code = 0; code < 0x110000; code++) {
      const character = String.fromCodePoint(code);
      if (OBEYED.test(character)) expect(printable(character)).toMatch(/^\\(x|u)/);
    }
  });
});

describe("excerpt()", () => {
  it("is printable, bounded, and the whole text if that fits", () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 80 }), (text, most) => {
        const part = excerpt(text, most);
        expect(part).not.toMatch(OBEYED);
        expect(part.length).toBeLessThanOrEqual(most);
        const whole = printable(text);
        expect(part).toBe(whole.length <= most ? whole : clip(whole, most));
      }),
    );
  });

  it("does not cut a character in two", () => {
    expect(excerpt("ab\u{1f600}\u{1f600}", 4)).toBe("ab…");
    expect(clip("ab\u{1f600}\u{1f600}", 5)).toBe("ab\u{1f600}…");
  });
});

describe("printablePhrase()", () => {
  it("is printable, bounded and trimmed", () => {
    fc.assert(
      fc.property(hostile, fc.integer({ min: 1, max: 80 }), (text, most) => {
        const phrase = printablePhrase(text, most);
        expect(phrase).not.toMatch(OBEYED);
        expect(phrase.length).toBeLessThanOrEqual(most);
        expect(phrase).toBe(phrase.trimStart());
      }),
    );
    expect(printablePhrase(" a\x1b[31m\r\nb \u202e", 80)).toBe("a [31m b");
  });
});

describe("excerptOfBytes()", () => {
  it("is printable and bounded, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 80 }), (bytes, most) => {
        const part = excerptOfBytes(Buffer.from(bytes), most);
        expect(part).not.toMatch(OBEYED);
        expect(part.length).toBeLessThanOrEqual(most);
      }),
    );
    expect(excerptOfBytes(Buffer.from("J\u00fcrgen \x1b[2J"), 80)).toBe("J\u00fcrgen \\x1b[2J");
    expect(excerptOfBytes(Buffer.from("J\xfcrgen", "latin1"), 80)).toBe("J\\xfcrgen");
  });
});

describe("decodeLine()", () => {
  it("reads bytes that are UTF-8 as UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(decodeLine(Buffer.from(text, "utf8").toString("latin1"))).toBe(text);
      }),
    );
  });

  it("shows bytes that are not", () => {
    expect(decodeLine("user \xe9t\xe9")).toBe("user \\xe9t\\xe9");
    // An overlong slash: not valid UTF-8, although it looks like it.
    expect(decodeLine("\xc0\xaf")).toBe("\\xc0\\xaf");
  });

  it("leaves text alone that is not a line of bytes", () => {
    expect(decodeLine("\u4e2d \xe9")).toBe("\u4e2d \xe9");
  });

  it("makes a C1 control that hides in UTF-8 visible in the end", () => {
    expect(printableLine("\xc2\x9b31m")).toBe("\\x9b31m");
  });
});

describe("jsonText()", () => {
  it("is the same document, without what a terminal obeys", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), (value, text) => {
        const document = { value, text };
        const json = jsonText(document);
        expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(document)));
        expect(json.replaceAll("\n", "")).not.toMatch(OBEYED);
      }),
    );
  });
});
