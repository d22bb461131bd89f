import { describe, expect, it } from "vitest";
import { renderCliReference } from "./reference.ts";

const page = renderCliReference();

describe("renderCliReference()", () => {
  it("has a section for every command of the contract, and none for what is hidden", () => {
    const sections = [...page.matchAll(/^## (\w+)$/gm)].map((match) => match[1]);
    expect(sections).toEqual(
      expect.arrayContaining([
        "run",
        "check",
        "status",
        "list",
        "ban",
        "unban",
        "why",
        "reload",
        "test",
        "completion",
      ]),
    );
    expect(sections).not.toContain("complete");
  });

  it("shows usage, arguments and options with their defaults", () => {
    expect(page).toContain("stoplog ban [options] <address...>");
    expect(page).toContain("- `--for <duration>`: how long");
    expect(page).toContain("- `--missed <number>`: show so many of the lines that were missed (default: 5)");
  });

  it("does not depend on the machine it is made on", () => {
    expect(page).not.toMatch(/\/(home|root|tmp|work)\//);
    expect(page.endsWith("\n")).toBe(true);
  });
});
