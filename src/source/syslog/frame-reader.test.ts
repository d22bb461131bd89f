import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newSourceStats } from "../source.ts";
import { FrameReader, FramingError } from "./frame-reader.ts";

function frames(bytes: Buffer, sizes: readonly number[] = [], maxMessage = 1000) {
  const messages: string[] = [];
  const stats = newSourceStats();
  const reader = new FrameReader(maxMessage, stats, (b, start, end) =>
    messages.push(b.toString("latin1", start, end)),
  );
  let at = 0;
  for (const size of sizes) {
    reader.push(bytes.subarray(at, at + size));
    at = Math.min(bytes.length, at + size);
  }
  reader.push(bytes.subarray(at));
  reader.end();
  return { messages, stats, reader };
}

describe("FrameReader", () => {
  it("reads both framings in one stream, in chunks of any size", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "1", " ", "<", ">"), maxLength: 30 });
    const message = fc.tuple(fc.boolean(), text).map(([counted, body]) => ({ counted, body: `<13>${body}` }));
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 8 }),
        fc.array(fc.nat(20), { maxLength: 30 }),
        (sent, sizes) => {
          const bytes = Buffer.from(
            sent.map(({ counted, body }) => (counted ? `${body.length} ${body}` : `${body}\n`)).join(""),
          );
          expect(frames(bytes, sizes).messages).toEqual(sent.map(({ body }) => body));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("keeps line ends within a counted message", () => {
    expect(frames(Buffer.from("9 <13>a\nb\n\n<13>c\n")).messages).toEqual(["<13>a\nb\n\n", "<13>c"]);
  });

  it("reads a line that begins like an octet count as a line", () => {
    const lines = [
      "2026-10-11T00:00:00Z h a: b",
      "12 angry men",
      "0 <13>x",
      "12345678901 <13>x",
      "-5 <13>x",
      "7",
    ];
    expect(frames(Buffer.from(`${lines.join("\n")}\n`)).messages).toEqual(lines);
  });

  it("throws for a length above the limit", () => {
    expect(() => frames(Buffer.from("999999999 <13>x"))).toThrow(FramingError);
  });

  it("keeps only the head of a message that is too long", () => {
    for (const sizes of [[], Array.from({ length: 100 }, () => 7)]) {
      const { messages, stats } = frames(
        Buffer.from(`104 <13>${"x".repeat(100)}<13>${"y".repeat(100)}\n<13>z\n`),
        sizes,
        10,
      );
      expect(messages).toEqual(["<13>xxxxxx", "<13>yyyyyy", "<13>z"]);
      expect(stats.shedBytes).toBe(94 + 94);
    }
  });

  it("delivers a last line without an LF, and sheds an incomplete counted message", () => {
    expect(frames(Buffer.from("<13>last")).messages).toEqual(["<13>last"]);
    const { messages, stats } = frames(Buffer.from("50 <13>half"));
    expect(messages).toEqual([]);
    expect(stats.shed).toBe(1);
  });

  it("never buffers more than one message, for any input", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(20)), (bytes, sizes) => {
        const { messages } = frames(Buffer.from(bytes), sizes, 20);
        for (const message of messages) expect(message.length).toBeLessThanOrEqual(20);
      }),
    );
  });
});
