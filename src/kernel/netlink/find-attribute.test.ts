import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AttributeReader } from "./attribute.ts";
import { Encoder } from "./encoder.ts";
import { attributeLength, findAttribute } from "./find-attribute.ts";

describe("findAttribute", () => {
  it("finds the first attribute of a type, nested or not", () => {
    const e = new Encoder();
    e.u8(7, 1);
    const nested = e.length;
    e.nested(2, () => e.u32(1, 5));
    e.u32(2, 6);
    const view = viewOf(e.bytes);
    expect(findAttribute(view, 0, view.byteLength, 2)).toBe(nested);
    expect(attributeLength(view, nested)).toBe(12);
    expect(findAttribute(view, nested + 4, nested + 12, 1)).toBe(nested + 4);
    expect(findAttribute(view, 0, view.byteLength, 1)).toBe(-1);
  });

  it("finds in arbitrary bytes what an AttributeReader finds, and does not read beyond the end", () => {
    const attribute = fc
      .tuple(fc.nat({ max: 20 }), fc.nat({ max: 5 }), fc.uint8Array({ maxLength: 9 }))
      .map(([length, type, rest]) => [length & 0xff, 0, type, 0, ...rest]);
    fc.assert(
      fc.property(fc.array(attribute, { maxLength: 5 }), fc.nat({ max: 5 }), (parts, type) => {
        const bytes = Uint8Array.from(parts.flat());
        const reader = new AttributeReader(bytes, 0, bytes.length);
        let wanted = -1;
        while (wanted < 0 && reader.next()) if (reader.type === type) wanted = reader.start - 4;
        expect(findAttribute(viewOf(bytes), 0, bytes.length, type)).toBe(wanted);
      }),
    );
  });
});

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
