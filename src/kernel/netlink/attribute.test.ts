import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AttributeReader } from "./attribute.ts";
import { Encoder } from "./encoder.ts";
import { answerIn, factOfAnswer } from "./errors.ts";
import { fakeAnswer, fakeNetlink } from "../../../test/support/fake-netlink.ts";
import { messagesIn } from "./message.ts";

type Tree = { type: number } & (
  | { u8: number }
  | { u16: number }
  | { u32: number }
  | { u64: number }
  | { text: string }
  | { raw: number[] }
  | { nested: Tree[] }
);

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    fc.record({ type: type(), u8: fc.nat(255) }),
    fc.record({ type: type(), u16: fc.nat(65535) }),
    fc.record({ type: type(), u32: fc.nat(0xffffffff) }),
    fc.record({ type: type(), u64: fc.maxSafeNat() }),
    fc.record({ type: type(), text: fc.stringMatching(/^[ -~]{0,40}$/) }),
    fc.record({ type: type(), raw: fc.array(fc.nat(255), { maxLength: 40 }) }),
    fc.record({ type: type(), nested: fc.array(tie("tree"), { maxLength: 5 }) }),
  ),
}));

describe("netlink attributes", () => {
  it("are read back as they were written", () => {
    fc.assert(
      fc.property(fc.array(tree, { maxLength: 8 }), (trees) => {
        const e = new Encoder(1);
        for (const one of trees) write(e, one);
        expect(e.length % 4).toBe(0);
        const reader = new AttributeReader(e.bytes, 0, e.length);
        expect(trees.map((one) => read(reader, one))).toEqual(trees);
        expect(reader.next()).toBe(false);
        expect(reader.fault).toBeNull();
      }),
    );
  });

  it("in arbitrary bytes are read without a crash, and never beyond the end", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), fc.nat(400), (bytes, start, end) => {
        const walk = (reader: AttributeReader, depth: number): void => {
          let before = -1;
          while (reader.next()) {
            expect(reader.start).toBeGreaterThan(before);
            expect(reader.end).toBeLessThanOrEqual(Math.min(end, bytes.length));
            before = reader.start;
            void [reader.u8(), reader.u16(), reader.u32(), reader.u64(), reader.text(), reader.raw()];
            if (depth < 3) walk(reader.nested(), depth + 1);
          }
        };
        walk(new AttributeReader(bytes, start, end), 0);
        for (const message of messagesIn(bytes)) {
          expect(message.end).toBeLessThanOrEqual(bytes.length);
          const answer = answerIn(message);
          if (answer !== null) expect(factOfAnswer(answer)).toBeTypeOf("string");
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["a header that is cut off", [8, 0, 1], "an attribute's header is cut off"],
    ["no length", [0, 0, 1, 0], "an attribute says it has 0 bytes"],
    ["a length below its header's", [3, 0, 1, 0], "an attribute says it has 3 bytes"],
    ["a length beyond the end", [9, 0, 1, 0, 1, 2, 3, 4], "an attribute is longer than what holds it"],
  ])("with %s end the walk", (_, bytes, fault) => {
    const reader = new AttributeReader(Uint8Array.from(bytes), 0, bytes.length);
    expect(reader.next()).toBe(false);
    expect(reader.fault).toBe(fault);
    expect(reader.next()).toBe(false);
  });

  it("of another size than requested read as 0, and the first fault is kept", () => {
    const reader = new AttributeReader(
      Uint8Array.from([6, 0, 5, 0, 1, 2, 0, 0, 5, 0, 6, 0, 1, 0, 0, 0]),
      0,
      16,
    );
    expect(reader.next()).toBe(true);
    expect(reader.u32()).toBe(0);
    expect(reader.fault).toBe("attribute 5 has 2 bytes, not 4");
    expect(reader.next()).toBe(false);
    expect(reader.fault).toBe("attribute 5 has 2 bytes, not 4");
  });

  it("that exceed their length field are refused", () => {
    const e = new Encoder();
    expect(() => e.raw(1, new Uint8Array(65_532))).toThrow(RangeError);
    const at = e.begin(1);
    for (let i = 0; i < 2; i++) e.raw(1, new Uint8Array(40_000));
    expect(() => e.end(at)).toThrow("Cannot encode an attribute: 80012 bytes are more than 65535");
  });
});

describe("an answer from the kernel", () => {
  it("has the errno, the kernel's own text and the offset", () => {
    const socket = fakeNetlink((messages) => [
      fakeAnswer(messages[0]!, 23, { text: "no room", offset: 84 }),
      fakeAnswer(messages[0]!, 0),
    ]);
    const e = new Encoder();
    e.endMessage(e.beginMessage(0xa0c, 1, 7));
    socket.send(e.bytes);
    const answers = [socket.receive(), socket.receive()].flatMap((bytes) =>
      bytes instanceof Uint8Array ? [...messagesIn(bytes)].map(answerIn) : [],
    );
    expect(answers).toEqual([
      { errno: 23, sequence: 7, text: "no room", offset: 84 },
      { errno: 0, sequence: 7, text: "", offset: -1 },
    ]);
    expect(factOfAnswer(answers[0]!)).toBe("file table overflow (no room)");
    expect(socket.receive()).toBeNull();
  });
});

function type() {
  return fc.integer({ min: 1, max: 0x3fff });
}

function write(e: Encoder, one: Tree): void {
  if ("u8" in one) e.u8(one.type, one.u8);
  else if ("u16" in one) e.u16(one.type, one.u16);
  else if ("u32" in one) e.u32(one.type, one.u32);
  else if ("u64" in one) e.u64(one.type, one.u64);
  else if ("text" in one) e.text(one.type, one.text);
  else if ("raw" in one) e.raw(one.type, Uint8Array.from(one.raw));
  else e.nested(one.type, () => one.nested.forEach((inner) => write(e, inner)));
}

/** Reads the next attribute as the type that `one` was written with. */
function read(reader: AttributeReader, one: Tree): unknown {
  expect(reader.next()).toBe(true);
  const { type: found } = reader;
  if ("u8" in one) return { type: found, u8: reader.u8() };
  if ("u16" in one) return { type: found, u16: reader.u16() };
  if ("u32" in one) return { type: found, u32: reader.u32() };
  if ("u64" in one) return { type: found, u64: reader.u64() };
  if ("text" in one) return { type: found, text: reader.text() };
  if ("raw" in one) return { type: found, raw: [...reader.raw()] };
  const inner = reader.nested();
  return { type: found, nested: one.nested.map((each) => read(inner, each)) };
}
