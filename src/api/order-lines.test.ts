import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { orderLinesOf } from "./order-lines.ts";

async function read(body: string): Promise<string[]> {
  return [...(await orderLinesOf(Buffer.from(body)))];
}

const NOT_JSON = "Cannot read the request: it is not JSON";

describe("the orders in a body", () => {
  it("are one, an array, or one a line", async () => {
    const order = '{"address":"192.0.2.1"}';
    expect(await read(order)).toEqual([order]);
    expect(await read(`\n\r\n${order}\r\n  \n\t${order}`)).toEqual([order, order]);
    expect(await read(` [ ${order} ,\n${order}\n] `)).toEqual([order, order]);
    expect(await read("[]")).toEqual([]);
    expect(await read("")).toEqual([]);
  });

  it("are those that JSON.parse finds in an array, however it is written", async () => {
    const indent = fc.constantFrom(undefined, 1, "\t");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue({ maxDepth: 3 })), indent, async (items, space) => {
        const lines = await read(JSON.stringify(items, null, space));
        expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
          JSON.parse(JSON.stringify(items)) as unknown,
        );
      }),
    );
  });

  it("are none in a broken array", async () => {
    for (const body of [
      "[",
      "[1",
      "[1,",
      "[1,]",
      "[,1]",
      "[1,,2]",
      "[1}",
      "[1] 2",
      '["]',
      "[[1]",
      "[1]]",
      '["\\"]',
    ])
      await expect(read(body), body).rejects.toThrow(NOT_JSON);
  });

  it("are cut behind the length of an order", async () => {
    const [line = "", second] = await read(`${"x".repeat(100_000)}\nlast`);
    expect([line.length, second]).toEqual([4097, "last"]);
  });

  it("are found with turns of the event loop in between, however the brackets nest", async () => {
    const half = 4 << 20;
    let turns = 0;
    const counting = setInterval(() => turns++, 0);
    const lines = await read("[".repeat(half) + "]".repeat(half));
    clearInterval(counting);
    expect(turns).toBeGreaterThan(5);
    expect(lines.map(({ length }) => length)).toEqual([4097]);
  });
});
