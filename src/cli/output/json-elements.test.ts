import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonElements } from "./json-elements.ts";

async function elementsOf(chunks: readonly Buffer[]): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const elements of jsonElements(stream(chunks))) found.push(...elements);
  return found;
}

async function* stream(chunks: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* chunks;
}

/** Cuts bytes at some places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

describe("jsonElements()", () => {
  it("reads any array of objects, however it is cut", async () => {
    const objects = fc.array(fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue()), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        objects,
        fc.array(fc.nat(), { maxLength: 8 }),
        fc.boolean(),
        async (array, places, pretty) => {
          const text = JSON.stringify(array, null, pretty ? 2 : 0);
          expect(await elementsOf(cut(Buffer.from(text), places))).toEqual(JSON.parse(text));
        },
      ),
    );
  });

  it("refuses what is no array of objects, or not all of one", async () => {
    const refused = async (text: string): Promise<string> =>
      elementsOf([Buffer.from(text)]).then(
        () => "taken",
        (error: Error) => error.message,
      );
    const start = "Cannot read the daemon's answer: ";
    expect(await refused("")).toBe(`${start}it broke off`);
    expect(await refused('[{"a":"]')).toBe(`${start}it broke off`);
    expect(await refused('{"error":"x"}')).toBe(`${start}it is not an array of objects`);
    expect(await refused('["x"]')).toBe(`${start}it is not an array of objects`);
    expect(await refused("[[]]")).toBe(`${start}it is not an array of objects`);
    expect(await refused("[{}][{}]")).toBe(`${start}it is not an array of objects`);
    expect(await refused("[{a}]")).toBe(`${start}it is not JSON`);
    expect(await refused("<html>")).toBe(`${start}it broke off`);
  });

  it("does not hold an element without end", async () => {
    const chunks = Array.from({ length: 20 }, () => Buffer.alloc(100_000, 0x20));
    await expect(elementsOf([Buffer.from("[{"), ...chunks])).rejects.toThrow(/an element is longer than/);
  });
});
