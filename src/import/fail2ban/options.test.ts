import { describe, expect, it } from "vitest";
import { parseCall, splitCalls } from "./options.ts";

describe("splitCalls()", () => {
  it("keeps brackets together, with quotes and line feeds in them", () => {
    const text = `one[a="x y", b='p]q'][c=3]\n  two\n three [d=4] four`;
    expect(splitCalls(text)).toEqual([`one[a="x y", b='p]q'][c=3]`, "two", "three [d=4]", "four"]);
  });

  it("stops at a bracket that never closes", () => {
    expect(splitCalls('one[a="x two')).toEqual(['one[a="x two']);
    expect(splitCalls("[x] y")).toEqual(["[x]", "y"]);
  });
});

describe("parseCall()", () => {
  it("reads options in all kinds of quotes", () => {
    const call = parseCall(`name[a="1,2", b='3', c=4, d=][e="5"]`);
    expect(call?.name).toBe("name");
    expect(Object.fromEntries(call?.options ?? [])).toEqual({ a: "1,2", b: "3", c: "4", d: "", e: "5" });
  });

  it.each(["", "[a=1]", "name[a", "name[a b]", "name[a=1] more"])("refuses %j", (text) => {
    expect(parseCall(text)).toBeNull();
  });
});
