import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { jsonLines } from "./json-lines.ts";

async function read(text: string, cuts: readonly number[] = []): Promise<unknown[]> {
  const bytes = Buffer.from(text);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  const chunks = (async function* () {
    for (let i = 1; i < places.length; i++) yield bytes.subarray(places[i - 1], places[i]);
  })();
  const values: unknown[] = [];
  for await (const some of jsonLines(chunks)) values.push(...some);
  return values;
}

describe("jsonLines()", () => {
  it("reads any values, however the text is cut into chunks", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue()),
        fc.array(fc.nat(), { maxLength: 8 }),
        async (values, cuts) => {
          const text = values.map((value) => `${JSON.stringify(value)}\n`).join("");
          expect(JSON.stringify(await read(text, cuts))).toBe(JSON.stringify(values));
        },
      ),
    );
  });

  it("reads a last line without a line end, and an empty text", async () => {
    expect(await read('{"a":1}\n{"b":"é"}')).toEqual([{ a: 1 }, { b: "é" }]);
    expect(await read("")).toEqual([]);
  });

  it("refuses text that is not JSON, and an endless line", async () => {
    await expect(read("[1,\n2]\n")).rejects.toThrow("Cannot read the daemon's answer: it is not NDJSON");
    await expect(read(`"${"x".repeat(1024 * 1024)}`)).rejects.toThrow(
      "a line is longer than 1048576 characters",
    );
  });
});
