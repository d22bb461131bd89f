import { describe, expect, it } from "vitest";
import { displayWidth, styleFor, table } from "./terminal.ts";

const plain = styleFor({ isTTY: false, env: {} });

describe("styleFor()", () => {
  it("colours only on a terminal", () => {
    expect(styleFor({ isTTY: true, env: {} }).red("x")).toBe("\x1b[31mx\x1b[39m");
    expect(plain.red("x")).toBe("x");
  });

  it("obeys NO_COLOR, unless it is empty, and a dumb terminal", () => {
    expect(styleFor({ isTTY: true, env: { NO_COLOR: "1" } }).bold("x")).toBe("x");
    expect(styleFor({ isTTY: true, env: { NO_COLOR: "" } }).bold("x")).toBe("\x1b[1mx\x1b[22m");
    expect(styleFor({ isTTY: true, env: { TERM: "dumb" } }).bold("x")).toBe("x");
  });
});

describe("displayWidth()", () => {
  it("counts cells: wide characters two, combining marks and colours none", () => {
    expect(displayWidth("abc")).toBe(3);
    expect(displayWidth("\u4e2d\u6587")).toBe(4);
    expect(displayWidth("e\u0301")).toBe(1);
    expect(displayWidth("\x1b[31mred\x1b[39m")).toBe(3);
    expect(displayWidth("\u{1f600}")).toBe(2);
  });
});

describe("table()", () => {
  it("aligns by visible width, numbers to the right, without trailing blanks", () => {
    const columns = [{ heading: "NAME" }, { heading: "N", right: true }, { heading: "WHY" }];
    const rows = [
      ["\u4e2d", "1", "x"],
      ["abcdef", "\x1b[31m12345\x1b[39m", ""],
    ];
    expect([...table(columns, rows, plain)]).toEqual([
      "NAME        N  WHY",
      "\u4e2d          1  x",
      "abcdef  \x1b[31m12345\x1b[39m",
    ]);
  });

  it("keeps a last column of numbers aligned", () => {
    const columns = [{ heading: "A" }, { heading: "N", right: true }];
    const rows = [
      ["x", "1"],
      ["y", "100"],
    ];
    expect([...table(columns, rows, plain)]).toEqual(["A    N", "x    1", "y  100"]);
  });

  it("has its heading when there are no rows", () => {
    expect([...table([{ heading: "A" }, { heading: "B" }], [], plain)]).toEqual(["A  B"]);
  });
});
