import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LineBatch } from "../core/batch.ts";
import { LineSplitter, LineStream } from "./line-splitter.ts";
import { newSourceStats } from "./source.ts";

/** Reference implementation: checks every byte. */
function naive(bytes: Buffer, maxLine: number): { lines: string[]; cut: number; shedBytes: number } {
  const lines: string[] = [];
  let cut = 0;
  let shedBytes = 0;
  let start = 0;
  for (let i = 0; i <= bytes.length; i++) {
    if (i < bytes.length && bytes[i] !== 10) continue;
    if (i === bytes.length && start === i) break;
    const length = Math.min(i - start, maxLine);
    lines.push(bytes.toString("latin1", start, start + length));
    if (i - start > maxLine) {
      cut++;
      shedBytes += i - start - maxLine;
    }
    start = i + 1;
  }
  return { lines, cut, shedBytes };
}

function collector() {
  const lines: string[] = [];
  const batches: number[] = [];
  const sink = ({ bytes, start, end }: LineBatch): void => {
    expect(end).toBeGreaterThan(start);
    expect(bytes[end - 1]).toBe(10);
    lines.push(...bytes.toString("latin1", start, end - 1).split("\n"));
    batches.push(end - start);
  };
  return { lines, batches, sink, stats: newSourceStats() };
}

function stream(chunks: readonly Buffer[], maxLine: number) {
  const got = collector();
  const lines = new LineStream(got.sink, got.stats, maxLine);
  for (const chunk of chunks) lines.push(Buffer.from(chunk));
  lines.flush();
  return { lines: got.lines, cut: got.stats.cut, shedBytes: got.stats.shedBytes };
}

/** Bytes with many LF, CR and NUL, and with runs shorter and longer than the bounds used here. */
const hostileBytes = fc
  .array(
    fc.oneof(
      fc.constantFrom(Buffer.from("\n"), Buffer.from("\r\n"), Buffer.from("\0"), Buffer.from("\n\n")),
      fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
      fc.nat(40).map((n) => Buffer.alloc(n, "x")),
    ),
    { maxLength: 30 },
  )
  .map((parts) => Buffer.concat(parts));

const chunked = fc
  .tuple(hostileBytes, fc.array(fc.nat(60), { maxLength: 20 }), fc.integer({ min: 1, max: 24 }))
  .map(([bytes, sizes, maxLine]) => {
    const chunks: Buffer[] = [];
    let at = 0;
    for (const size of sizes) {
      chunks.push(bytes.subarray(at, at + size));
      at = Math.min(bytes.length, at + size);
    }
    chunks.push(bytes.subarray(at));
    return { bytes, chunks, maxLine };
  });

describe("LineStream", () => {
  it("agrees with a byte-by-byte splitter, for any bytes in any chunks", () => {
    fc.assert(
      fc.property(chunked, ({ bytes, chunks, maxLine }) => {
        expect(stream(chunks, maxLine)).toEqual(naive(bytes, maxLine));
      }),
      { numRuns: 3000 },
    );
  });

  it("counts every byte once: delivered, shed, or an added LF", () => {
    fc.assert(
      fc.property(chunked, ({ bytes, chunks, maxLine }) => {
        const got = collector();
        const lines = new LineStream(got.sink, got.stats, maxLine);
        for (const chunk of chunks) lines.push(Buffer.from(chunk));
        lines.flush();
        // A truncated line keeps its own LF; an LF is added only at the end of the input.
        const added = got.stats.bytes + got.stats.shedBytes - bytes.length;
        expect(added).toBe(bytes.length > 0 && bytes[bytes.length - 1] !== 10 ? 1 : 0);
        expect(got.batches.reduce((sum, n) => sum + n, 0)).toBe(got.stats.bytes);
        expect(got.batches.length).toBe(got.stats.batches);
      }),
    );
  });

  it("delivers the lines of a chunk in one batch, in place", () => {
    const chunk = Buffer.from("one\ntwo\r\nthree\nfo");
    let seen: LineBatch | undefined;
    const lines = new LineStream((batch) => (seen = batch), newSourceStats());
    lines.push(chunk);
    expect(seen).toMatchObject({ bytes: chunk, start: 0, end: 15, backlog: false });
    expect(seen?.bytes).toBe(chunk);
  });

  it("keeps NUL bytes and invalid UTF-8", () => {
    const raw = Buffer.from([0, 0xff, 0xfe, 0xc3, 10, 0x80, 10]);
    expect(stream([raw], 100).lines).toEqual(["\0\xff\xfe\xc3", "\x80"]);
  });

  it("keeps only the head of a line that never ends [limit: lineBytes]", () => {
    const got = collector();
    const lines = new LineStream(got.sink, got.stats, 100);
    for (let i = 0; i < 1000; i++) lines.push(Buffer.alloc(1000, "x"));
    expect(got.lines).toEqual(["x".repeat(100)]);
    expect(got.stats).toMatchObject({ cut: 1, shedBytes: 999_900 });
    lines.push(Buffer.from("\nnext\n"));
    expect(got.lines[1]).toBe("next");
  });
});

describe("LineSplitter", () => {
  it("returns where the half line starts, and completes it in the next call", () => {
    const got = collector();
    const splitter = new LineSplitter(got.sink, got.stats, 16);
    expect(splitter.split(Buffer.from("..a\nhalf.."), 2, 8)).toBe(4);
    expect(splitter.split(Buffer.from("half a line\n"), 0, 12)).toBe(12);
    expect(got.lines).toEqual(["a", "half a line"]);
  });

  it("ignores bytes after the end, where an older read may have left lines", () => {
    const got = collector();
    const splitter = new LineSplitter(got.sink, got.stats, 4);
    expect(splitter.split(Buffer.from("\n\n\nabcdefg\n\n"), 3, 10)).toBe(10);
    expect(splitter.skipping).toBe(true);
    expect(splitter.split(Buffer.from("hij\nold\n"), 0, 3)).toBe(3);
    expect(got.lines).toEqual(["abcd"]);
    expect(got.stats.shedBytes).toBe(6);
  });
});
