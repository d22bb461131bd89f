import { describe, expect, it } from "vitest";
import { poisonedLines } from "./poison.ts";

describe("poisonedLines", () => {
  it("are never longer than allowed, and nearly as long", () => {
    const lines = poisonedLines(["Failed password for root from 192.0.2.1 port 22 ssh2"], 512);
    expect(lines.length).toBeGreaterThan(100);
    expect(Math.max(...lines.map((line) => line.length))).toBe(512);
    expect(Math.min(...lines.map((line) => line.length))).toBeGreaterThan(512 - 60);
  });

  it("keep the sample's own beginning and end", () => {
    const [first = ""] = poisonedLines(["ab from cd"], 40);
    expect(first.startsWith("a")).toBe(true);
    expect(first.endsWith("ab from cd")).toBe(true);
  });
});
