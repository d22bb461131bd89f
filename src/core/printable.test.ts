import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeLine, jsonText, printable, printableLine } from "./printable.ts";

/** Whatever a terminal may obey, or show in another order than it stands. */
const OBEYED = /[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

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
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(printable(text)).not.toMatch(OBEYED);
      }),
    );
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
    // An overlong slash: no UTF-8, although it looks like it.
    expect(decodeLine("\xc0\xaf")).toBe("\\xc0\\xaf");
  });

  it("leaves text alone that is no line of bytes", () => {
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
